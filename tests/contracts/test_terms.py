"""What a contract may be, and what is said of one that cannot be."""

from __future__ import annotations

import copy
import math
import pickle
from fractions import Fraction

import pytest
from contract_worlds import any_contracts
from hypothesis import given

from cleanup_icn.contracts import (
    Condition,
    Contract,
    ContractError,
    Duration,
    Fine,
    LumpSum,
    Quota,
    Share,
    Wage,
)


def wage(**changes):
    return Wage(**({"payer": "a", "payee": "b", "per": "x", "rate": 1} | changes))


def quota(**changes):
    terms = {"payer": "a", "payee": "b", "per": "x", "at_least": 3, "amount": 2}
    return Quota(**(terms | changes))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: wage(rate=-1), "rate = -1: expected a finite number of at least 0"),
        (lambda: wage(rate=True), "rate = True: expected a finite number"),
        (lambda: wage(rate="1"), "rate = '1': expected"),
        (lambda: wage(rate=math.nan), "rate = nan: expected"),
        (lambda: wage(rate=10**400), "expected a finite number"),
        (lambda: wage(cap=-0.5), "cap = -0.5: expected"),
        (lambda: wage(cap=math.inf), "cap = inf: expected"),
        (lambda: wage(payer="agent 1"), "payer = 'agent 1': expected an agent's name"),
        (lambda: wage(payee=""), "payee = '': expected"),
        (lambda: wage(per="x-y"), "per = 'x-y': expected the name of a feature"),
        (lambda: wage(per="x\n"), "per = "),
        (lambda: wage(when="always"), "when = 'always': expected a Condition"),
        (lambda: Share(payer="a", payee="b", of="x", fraction=1.5), "fraction = 1.5: .* 0 to 1"),
        (lambda: Fine(payer="a", payee="b", per="x", rate=-2), "rate = -2"),
        (lambda: LumpSum(payer="a", payee="b", amount=-2), "amount = -2"),
        (lambda: quota(amount=-2), "amount = -2: expected a finite number of at least 0"),
        (lambda: quota(at_least=0), "at_least = 0: expected a finite number above 0"),
        (lambda: quota(at_least=-1), "at_least = -1: expected a finite number above 0"),
        (lambda: quota(at_least=Fraction(1, 10**400)), "at_least = .* a finite number above 0"),
        (lambda: quota(at_least=math.inf), "at_least = inf: expected"),
        (lambda: quota(at_least=math.nan), "at_least = nan: expected"),
        (lambda: quota(at_least=True), "at_least = True: expected"),
        (lambda: quota(at_least=None), "at_least = None: expected"),
        (lambda: quota(per="x-y"), "per = 'x-y': expected the name of a feature"),
        (lambda: quota(cap=-1), "cap = -1"),
        (lambda: quota(when="always"), "when = 'always'"),
        (lambda: Condition("x", "=>", 1), "op = '=>': expected one of >= > <= < == !="),
        (lambda: Condition("x", ">", None), "value = None"),
        (lambda: Duration("never"), "until = 'never': expected 'end', 'step' or 'change'"),
        (lambda: Duration("step"), "step = None: expected a whole number of steps"),
        (lambda: Duration("step", 2.5), "step = 2.5"),
        (lambda: Duration("step", -1), "step = -1"),
        (lambda: Duration("step", True), "step = True"),
        (lambda: Duration("end", 3), "step = 3: expected none"),
        (lambda: Contract([1]), r"clauses\[0\] = 1: expected a Share, Wage, Fine, Quota"),
        (lambda: Contract("abc"), "clauses = 'abc': expected a list"),
        (lambda: Contract(duration="end"), "duration = 'end': expected a Duration"),
        (lambda: Contract(parties="abc"), "parties = 'abc': expected a list"),
        (lambda: Contract(parties=["a", "a"]), "parties = .*none twice"),
        (lambda: Contract(parties=[]), "parties = "),
        (lambda: Contract(parties=["all"]), r"parties\[0\] = 'all': .*not a role word"),
        (lambda: Contract([wage()], parties=["a", "c"]), r"clauses\[0\]\.payee = 'b': .*a, c"),
    ],
)
def test_what_cannot_be_is_refused_with_field_value_and_what_is_allowed(make, message):
    with pytest.raises(ContractError, match=message):
        make()


def test_lists_become_tuples_so_that_contracts_are_values():
    contract = Contract([wage()], parties=["a", "b"])
    assert contract.clauses == (wage(),)
    assert contract.parties == ("a", "b")
    assert len({contract, Contract((wage(rate=1.0),), parties=("a", "b"))}) == 1


def test_a_contract_without_clauses_is_null():
    assert Contract().is_null
    assert Contract(duration=Duration("step", 3)).is_null
    assert not Contract([wage()]).is_null


def test_a_contract_knows_the_names_it_uses():
    conditional = wage(payer="others", when=Condition("level", ">", 1))
    contract = Contract([conditional, LumpSum(payer="all", payee="c", amount=1)])
    assert contract.feature_names == ("x",)
    assert contract.public_names == ("level",)
    assert contract.agent_names == ("b", "c")


def test_joining_concatenates_clauses():
    first, second = Contract([wage()]), Contract([wage(rate=2)])
    assert first.joined(second) == Contract([wage(), wage(rate=2)])


@pytest.mark.parametrize(
    "other", [Contract(duration=Duration("change")), Contract(parties=["a", "b"])]
)
def test_contracts_of_different_duration_or_parties_cannot_be_joined(other):
    with pytest.raises(ContractError, match="the same as"):
        Contract([wage()]).joined(other)


@given(any_contracts())
def test_contracts_can_be_hashed_copied_and_pickled(contract):
    same = pickle.loads(pickle.dumps(contract))
    assert same == contract == copy.deepcopy(contract)
    assert hash(same) == hash(contract)


def test_an_error_survives_pickling_between_processes():
    error = ContractError("rate", -1, "a number")
    same = pickle.loads(pickle.dumps(error))
    assert (str(same), same.field) == ("rate = -1: expected a number", "rate")
