"""Exact answers about Cleanup, all with their transitions taken from the rule book."""

from __future__ import annotations

from cleanup_icn.solve.best_response import (
    BestResponse,
    Exploitability,
    best_response,
    exploitability,
)
from cleanup_icn.solve.design import (
    Assessment,
    Overlap,
    RegionChange,
    acceptance_region,
    assess,
    compare_regions,
    foreseen,
    implementing_region,
    least_transfer,
    likeliest_state,
    most_equal,
    overlap,
    quotas,
    shares,
    wage_and_share,
    wages,
)
from cleanup_icn.solve.enumeration import EquilibriumPayoffs, equilibrium_payoffs
from cleanup_icn.solve.equilibrium import Equilibrium, equilibria, equilibrium
from cleanup_icn.solve.markov import Course, MarkovPolicy, Play, course_of, values_of
from cleanup_icn.solve.optimum import (
    GroupAction,
    SocialOptimum,
    all_harvest_welfare,
    group_actions,
    one_cleaner_welfare,
    social_optimum,
    welfare_of_counts,
)
from cleanup_icn.solve.proposal import (
    ProposalGame,
    ProposalOutcome,
    plan_contract,
    proposal_game,
)

__all__ = [
    "Assessment",
    "BestResponse",
    "Course",
    "Equilibrium",
    "EquilibriumPayoffs",
    "Exploitability",
    "GroupAction",
    "MarkovPolicy",
    "Overlap",
    "Play",
    "ProposalGame",
    "ProposalOutcome",
    "RegionChange",
    "SocialOptimum",
    "acceptance_region",
    "all_harvest_welfare",
    "assess",
    "best_response",
    "compare_regions",
    "course_of",
    "equilibria",
    "equilibrium",
    "equilibrium_payoffs",
    "exploitability",
    "foreseen",
    "group_actions",
    "implementing_region",
    "least_transfer",
    "likeliest_state",
    "most_equal",
    "one_cleaner_welfare",
    "overlap",
    "plan_contract",
    "proposal_game",
    "quotas",
    "shares",
    "social_optimum",
    "values_of",
    "wage_and_share",
    "wages",
    "welfare_of_counts",
]
