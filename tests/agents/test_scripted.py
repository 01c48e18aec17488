from agents import Decision, ScriptedAgent


class Counter:
    """Acts the number of its calls since the last reset, plus the seed."""

    def reset(self, *, seed):
        self.next_action = seed

    def __call__(self, observation):
        self.next_action += 1
        return self.next_action


def test_a_policy_answers_with_an_action():
    agent = ScriptedAgent(lambda observation: observation["observation"][0] + 1)
    agent.reset(seed=0)
    assert agent.act({"observation": [4]}) == Decision(action=5)


def test_a_policy_may_also_speak():
    agent = ScriptedAgent(lambda observation: (2, "I clean."))
    assert agent.act({}) == Decision(action=2, said="I clean.")


def test_a_policy_with_memory_starts_every_episode_anew():
    agent = ScriptedAgent(Counter())
    agent.reset(seed=10)
    assert [agent.act({}).action for _ in range(3)] == [11, 12, 13]
    agent.reset(seed=0)
    assert agent.act({}).action == 1
