"""Agent states: what bandits know of the arms of cross-platform campaigns."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from adweir.model import limits
from adweir.model.errors import NotFound, Unprocessable
from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Here, Resource
from routes.campaigns import ArmId, CampaignId
from routes.fields import PAGE_ITEMS, AccountId, Exact, Instant, Limit, NextToken, PageToken, PlatformId, RunId, Shown

_SAID_OFF = "null of an arm that is said to be paused, ended or archived."


class ArmSpending(Shown):
    """What was spent in one currency."""

    currency: str
    spending: Exact


class ArmPrior(Shown):
    """What was taken for known before the arm's own days."""

    mean: Exact = Field(description="A conversion rate.")
    trials: int = Field(description="Clicks that it counts as.")
    source: str = Field(description="`account`: the rate of the client's own days; `default`: there are none.")


class KnownShare(Shown):
    """What part of a day's conversions was known so many days after it."""

    after_days: int
    share: Exact


class ArmDelay(Shown):
    """How late conversions come on the arm's platform."""

    measured: bool = Field(
        description="false: too little was seen of the client's restatements, and a table stands in."
    )
    known: list[KnownShare]


class ContextPosterior(Shown):
    """What is known of an arm in one context."""

    value: str = Field(examples=["monday"])
    alpha: Exact
    beta: Exact
    reward_mean: Exact
    trials: int
    rewards: Exact


class ContextualState(Shown):
    """Posteriors by context."""

    as_of: Instant
    weekday: list[ContextPosterior] | None
    device: list[ContextPosterior] | None = Field(description="Of 90 days; null where that breakdown is not pulled.")
    placement: list[ContextPosterior] | None = Field(description="The same.")


class AgentStateAnswer(Shown):
    """An arm's state. Sums are of at most 365 days, up to `through`."""

    campaign_id: CampaignId
    arm_id: ArmId
    account_id: AccountId
    platform: PlatformId
    alpha: Exact = Field(
        description="With `beta` the distribution of the conversion rate: discounted, delay-corrected."
    )
    beta: Exact
    trials: int = Field(description="Clicks, as they are stored.")
    rewards: Exact = Field(description="Conversions, as they are stored; may be fractional.")
    reward_mean: Exact = Field(description="The expected conversion rate: alpha / (alpha + beta).")
    reward_variance: Exact = Field(description="Of that distribution: how uncertain the rate is.")
    impressions: int
    spending: Exact | None = Field(description="In `currency`; null of several currencies, or where it is unknown.")
    currency: str | None
    spending_by_currency: list[ArmSpending]
    risk_score: Exact | None = Field(
        description="The probability that its rate is below the mean of the campaign's arms; of an arm alone its"
        f" deviation as a part of its mean. {_SAID_OFF}"
    )
    p_best: Exact | None = Field(description=f"The probability that no arm's rate is higher. {_SAID_OFF}")
    allocation: Exact | None = Field(description=f"The suggested share of the campaign's budget. {_SAID_OFF}")
    effective_trials: Exact = Field(description="How many clicks its days come to, discounted and delay-corrected.")
    beyond_clicks: Exact = Field(description="Conversions that days had beyond their clicks: they are not learned.")
    days: int
    unknown_days: int = Field(description="Days of them of which not all clicks and conversions are known.")
    first: str | None
    last: str | None
    through: str = Field(description='The newest day that is over; "" where nothing is stored.')
    prior: ArmPrior
    delay: ArmDelay
    contextual_state: ContextualState | None
    as_of: Instant = Field(description="When the days were read.")
    last_updated: Instant
    input_hash: str = Field(description="Of all that the campaign's states are made of: the same gives no new version.")
    version: int
    run_id: RunId


class AgentList(Shown):
    """The states of the arms of one page of campaigns."""

    agents: list[AgentStateAnswer]
    next_token: NextToken


def _is(model: type[Shown]) -> Any:
    return lambda: {"application/json": {"model": model}}


agents = Resource("Agents", "What bandits know of the arms of campaigns")


@agents.route("GET", "/api/v1/agents", "List the states of arms", limited=True, content=_is(AgentList))
def list_agents(
    app: Here,
    account_id: Annotated[
        str, Query(max_length=limits.MAX_PATH_ID_CHARS, description="Only those of this client company, acc_….")
    ] = "",
    campaign_id: Annotated[
        str, Query(max_length=limits.MAX_PATH_ID_CHARS, description="Only the arms of this campaign, cmp_….")
    ] = "",
    limit: Limit = PAGE_ITEMS,
    next_token: PageToken = "",
) -> Answer:
    """A stage of the kind `learn` makes them. `limit` counts campaigns: a page has the states of all their arms. An arm
    is left out until it was learned once."""
    from adweir.insight.agents.shown import shown_state

    if campaign_id:
        try:
            campaigns, token = [app.catalog.campaign(campaign_id)], ""
        except NotFound as error:
            raise Unprocessable(error.message, error.details) from None
        campaigns = [each for each in campaigns if account_id in {"", each.account_id}]
    else:
        campaigns, token = app.catalog.list_campaigns(limit, next_token, account_id)
    found = []
    for campaign in campaigns:
        states = app.findings.agents.of(campaign.campaign_id) if campaign.arms else {}
        found += [shown_state(states[arm.arm_id]) for arm in campaign.arms if arm.arm_id in states]
    return answer({"agents": found, "next_token": token or None})
