"""What bandits know of the arms of cross-platform campaigns: the stages of the kind `learn` (docs/agents.md).

Pure Python. `update` makes a posterior of an arm's days, `chances` says which arm is best, `delays` how much of a day's
conversions was known when it was pulled, `sources` reads the stored days, `learner` stores what is new.
"""
