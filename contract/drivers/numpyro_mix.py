"""A Bayesian media-mix model by NUTS, the yardstick of bench/mix.py: `python numpyro_mix.py CSV TOLD OUT [SEED]`.

TOLD is JSON: {"cadence": "weekly" | "daily", "channels": [..], "controls": [..], "base": "sum" | "product"}. Writes per
channel the posterior median and the 5th and 95th percentile of contribution and return on spend, the process's CPU
seconds from reading to writing, and what says whether the chains agree.

The model, with the KPI divided by its mean: an intercept, a line, two yearly harmonics, weekdays in daily tables and
the controls, added up or (where TOLD says so) multiplied; per channel geometric adstock (carry ~ Beta(2, 3)), Hill's
curve (half at LogNormal(0, 0.7) of the usual adstock, slope ~ LogNormal(0, 0.2)) and a half-normal effect as wide as
three times the channel's share of spend; normal noise.

Weeks are sampled as they are. Days are not: some of their parameters are known thousands of times better than others,
and chains that start anywhere do not meet. There the sampler begins near the posterior's mode, in coordinates in which
the curvature at the mode is the same in all directions. The posterior is the same one.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax.flatten_util import ravel_pytree
from numpyro.diagnostics import summary
from numpyro.infer import MCMC, NUTS, init_to_median
from numpyro.infer.util import initialize_model

CHAINS, WARM_UP, DRAWS = 2, {"weekly": 400, "daily": 200}, {"weekly": 400, "daily": 200}
LAGS = {"weekly": 14, "daily": 20}
PER_YEAR = {"weekly": 365.25 / 7, "daily": 365.25}


def read(path: Path, told: dict[str, Any]) -> dict[str, np.ndarray]:
    """The table's numbers: KPI, spend by period and channel, controls."""
    with path.open() as file:
        rows = list(csv.DictReader(file))

    def column(name: str) -> list[float]:
        return [float(row[name]) for row in rows]

    return {
        "kpi": np.array(column("sales")),
        "spend": np.array([column(name) for name in told["channels"]]).T,
        "controls": np.array([column(name) for name in told["controls"]]).T.reshape(len(rows), -1),
    }


def prepared(table: dict[str, np.ndarray], cadence: str) -> dict[str, Any]:
    """Scaled arrays: spend by its mean, controls to mean 0 (and deviation 1 where they are no 0/1 column)."""
    spend = table["spend"]
    count, lags = len(spend), LAGS[cadence]
    scaled = spend / spend.mean(axis=0)
    padded = np.vstack([np.zeros((lags, spend.shape[1])), scaled])
    at = np.arange(count)
    controls = table["controls"]
    flags = np.isin(controls, (0.0, 1.0)).all(axis=0)
    spread = np.where(flags, 1.0, controls.std(axis=0))
    turn = 2 * np.pi * at[:, None] * np.array([1, 2]) / PER_YEAR[cadence]
    weekdays = np.eye(7)[at % 7][:, 1:] if cadence == "daily" else np.zeros((count, 0))
    share = spend.sum(axis=0) / spend.sum()
    return {
        "lagged": jnp.array(np.stack([padded[lags - lag : lags - lag + count].T for lag in range(lags)])),
        "line": jnp.array(at / (count - 1) - 0.5),
        "season": jnp.array(np.hstack([np.sin(turn), np.cos(turn)])),
        "weekdays": jnp.array(weekdays),
        "controls": jnp.array((controls - np.where(flags, 0.0, controls.mean(axis=0))) / spread),
        "width": jnp.array(3 * share),
    }


def model(data: dict[str, Any], form: str, sold: Any = None) -> None:
    """The joint distribution; `brought` is each channel's contribution over the whole table, per mean KPI."""
    lags, channels, _ = data["lagged"].shape
    level = numpyro.sample("level", dist.LogNormal(-0.5, 0.35))
    slope = numpyro.sample("line", dist.Normal(0, 0.5))
    groups = [(name, data[name].shape[1]) for name in ("season", "weekdays", "controls") if data[name].shape[1]]
    parts = [slope * data["line"]] + [
        data[name] @ numpyro.sample(name, dist.Normal(0, 0.2).expand([width]).to_event(1)) for name, width in groups
    ]
    if form == "product":
        base = level
        for part in parts:
            base = base * (1 + part)
    else:
        base = level + sum(parts)
    with numpyro.plate("channels", channels):
        carry = numpyro.sample("carry", dist.Beta(2.0, 3.0))
        half = numpyro.sample("half", dist.LogNormal(0.0, 0.7))
        bend = numpyro.sample("bend", dist.LogNormal(0.0, 0.2))
        effect = numpyro.sample("effect", dist.HalfNormal(1.0))
    weights = carry[None, :] ** jnp.arange(lags)[:, None]
    acting = (data["lagged"] * (weights / weights.sum(axis=0))[:, :, None]).sum(axis=0) + 1e-9
    raised = acting ** bend[:, None]
    media = (effect * data["width"])[:, None] * raised / (raised + (half**bend)[:, None])
    numpyro.deterministic("brought", media.sum(axis=1))
    noise = numpyro.sample("noise", dist.HalfNormal(0.1))
    numpyro.sample("sold", dist.Normal(base + media.sum(axis=0), noise), obs=sold)


Sampled = tuple[dict[str, Any], dict[str, Any]]
"""Samples by chain, and what the sampler says of itself."""


def chains(kernel: NUTS, cadence: str) -> MCMC:
    return MCMC(kernel, num_warmup=WARM_UP[cadence], num_samples=DRAWS[cadence], num_chains=CHAINS,
                chain_method="sequential", progress_bar=False)  # fmt: skip


def sampled(arguments: tuple[Any, ...], seed: int) -> Sampled:
    """Two chains, from the prior's medians."""
    run = chains(NUTS(model, target_accept_prob=0.85, max_tree_depth=9, init_strategy=init_to_median), "weekly")
    run.run(jax.random.PRNGKey(seed), *arguments, extra_fields=("diverging", "num_steps"))
    return run.get_samples(group_by_chain=True), run.get_extra_fields()


def mode(energy: Any, start: Any) -> tuple[Any, np.ndarray]:
    """Where `energy` is least, by damped Newton steps, and there a matrix M: M M' is the inverse of its curvature."""
    slope, curvature = jax.jit(jax.value_and_grad(energy)), jax.jit(jax.hessian(energy))

    def curved(at: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        matrix = np.asarray(curvature(at), dtype=np.float64)
        scale = 1 / np.sqrt(np.maximum(np.abs(np.diag(matrix)), 1e-2))
        return (scale, *np.linalg.eigh(matrix * scale[:, None] * scale))

    now, damping, gain = start, 1.0, np.inf
    value, gradient = slope(now)
    for _ in range(100):
        if gain < 0.01 or damping > 1e8:
            break
        scale, bends, axes = curved(now)
        along = axes.T @ (np.asarray(gradient, dtype=np.float64) * scale)
        while damping <= 1e8:
            step = -scale * (axes @ (along / (np.abs(bends) + damping)))
            there = now + jnp.asarray(step, dtype=now.dtype)
            lower, tilted = slope(there)
            if float(lower) < float(value):
                gain, damping = float(value - lower), damping / 5
                now, value, gradient = there, lower, tilted
                break
            damping *= 4
    scale, bends, axes = curved(now)
    return now, scale[:, None] * (axes / np.sqrt(np.maximum(bends, 0.01)))


def sampled_about_the_mode(arguments: tuple[Any, ...], seed: int) -> Sampled:
    """Two chains, from near the mode and in coordinates in which its curvature is 1 in all directions."""
    key = jax.random.PRNGKey(seed)
    made = initialize_model(key, model, init_strategy=init_to_median, dynamic_args=False, model_args=arguments)
    start, named = ravel_pytree(made.param_info.z)
    top, root = mode(lambda at: made.potential_fn(named(at)), start)
    root = jnp.asarray(root, dtype=top.dtype)
    kernel = NUTS(potential_fn=lambda at: made.potential_fn(named(top + root @ at)), target_accept_prob=0.85,
                  max_tree_depth=9)  # fmt: skip
    run = chains(kernel, "daily")
    first = 0.3 * jax.random.normal(key, (CHAINS, len(top)))
    run.run(jax.random.PRNGKey(seed + 1), init_params=first, extra_fields=("diverging", "num_steps"))
    sites = jax.vmap(jax.vmap(lambda at: made.postprocess_fn(named(top + root @ at))))
    return sites(run.get_samples(group_by_chain=True)), run.get_extra_fields()


def fit(table: dict[str, np.ndarray], told: dict[str, Any], seed: int) -> dict[str, Any]:
    """Posterior draws of the contributions, and the chains' health."""
    mean = table["kpi"].mean()
    arguments = (prepared(table, told["cadence"]), told["base"], jnp.array(table["kpi"] / mean))
    grouped, extra = (sampled_about_the_mode if told["cadence"] == "daily" else sampled)(arguments, seed)
    health = summary(dict(grouped), group_by_chain=True)
    brought = np.asarray(grouped["brought"])
    return {
        "brought": brought.reshape(-1, brought.shape[-1]) * mean,
        "r_hat": float(np.max(health["brought"]["r_hat"])),
        "r_hat_all": float(max(np.max(each["r_hat"]) for each in health.values())),
        "least_effective": float(np.min(health["brought"]["n_eff"])),
        "divergent": int(np.sum(extra["diverging"])),
        "steps": int(np.sum(extra["num_steps"])),
        "warm_up": WARM_UP[told["cadence"]], "draws": DRAWS[told["cadence"]],
    }  # fmt: skip


def main() -> None:
    path, told, out = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()), Path(sys.argv[3])
    begin, clock = time.process_time(), time.perf_counter()
    table = read(path, told)
    found = fit(table, told, int(sys.argv[4]) if len(sys.argv) > 4 else 0)
    low, middle, high = np.percentile(found.pop("brought"), [5, 50, 95], axis=0)
    spent = table["spend"].sum(axis=0)

    def interval(at: int, per: float) -> dict[str, float]:
        return {"estimate": middle[at] / per, "low": low[at] / per, "high": high[at] / per}

    channels = [
        {"channel": name, "contribution": interval(at, 1.0), "roi": interval(at, float(spent[at]))}
        for at, name in enumerate(told["channels"])
    ]
    out.write_text(json.dumps({
        "world": path.stem, "channels": channels, **found, "chains": CHAINS,
        "cpu_seconds": time.process_time() - begin, "seconds": time.perf_counter() - clock,
        "versions": {"jax": jax.__version__, "numpyro": numpyro.__version__},
    }, indent=1))  # fmt: skip


if __name__ == "__main__":
    main()
