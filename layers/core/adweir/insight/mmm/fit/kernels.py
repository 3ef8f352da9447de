"""How a channel acts: adstock (when) and saturation (how much), each with its derivatives.

Adstock weights by lag l, which sum to 1, so that an adstocked spend has the size of the spend, are in proportion to

    theta**l * gamma(l + r) / (gamma(r) l!)   negative binomial: geometric at r = 1, with a later, rounder peak above
    theta**((l - p)**2)                       delayed: about a peak at lag p, and narrow if it has to be

A negative binomial's weights lie at least as far apart as its mean is late; what acts three weeks later and only then
needs the other one.

Saturation is 1 at the usual spend, so that a channel's size and its shape are nearly independent of each other:

    hill       g(a) = a**n (1 + k**n) / (a**n + k**n)
    logistic   g(a) = tanh(c (a / k)**n) / tanh(c / k**n), with c = atanh(1/2)

`k` is where half of the most is reached, in units of `scale`. With n = 1 both are concave, with more they have the form
of an S. Small spends bring in proportion to a**n in both, but with equal n the logistic curve is the steeper one at k
(`elasticity_at_half`).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from adweir.insight.mmm.fit.frame import Floats

HALF = float(np.arctanh(0.5))
"""The logistic curve, tanh, is at one half there."""
_TINY = 1e-9
_FARTHEST = 300.0
_STEEPEST = 30.0
"""The argument of tanh from which it is 1."""


class Family(StrEnum):
    """A form of saturation."""

    HILL = "hill"
    LOGISTIC = "logistic"


class Kernel(NamedTuple):
    """Weights by lag, (C, L, N), and what a step of logit theta and of log r, or log p, changes of them."""

    weights: Floats
    by_theta: Floats
    by_shape: Floats


class Saturation(NamedTuple):
    """Values, and their derivatives by the adstocked spend, log k and log n. All have the shape of the spend."""

    values: Floats
    by_stock: Floats
    by_half: Floats
    by_slope: Floats


def kernel(logit_theta: Floats, log_shape: Floats, lags: int, delayed: Sequence[int] = ()) -> Kernel:
    """Adstock weights for parameters of the shape (C, N). Channels that are `delayed` have p in place of r."""
    found = _negative_binomial(logit_theta, log_shape, lags)
    if delayed:
        some = list(delayed)
        for whole, part in zip(found, _delayed(logit_theta[some], log_shape[some], lags), strict=True):
            whole[some] = part
    return found


def _delayed(logit_theta: Floats, log_peak: Floats, lags: int) -> Kernel:
    theta = 1 / (1 + np.exp(-logit_theta))[:, None, :]
    rate = np.logaddexp(0, -logit_theta)[:, None, :]
    peak = np.exp(log_peak)[:, None, :]
    away = np.arange(lags)[None, :, None] - peak
    heights = -rate * away**2
    weights = np.exp(heights - heights.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    drift, turns = (1 - theta) * away**2, 2 * rate * away * peak
    by_theta = weights * (drift - (weights * drift).sum(axis=1, keepdims=True))
    by_peak = weights * (turns - (weights * turns).sum(axis=1, keepdims=True))
    return Kernel(weights, by_theta, by_peak)


def _negative_binomial(logit_theta: Floats, log_shape: Floats, lags: int) -> Kernel:
    theta = 1 / (1 + np.exp(-logit_theta))[:, None, :]
    shape = np.exp(log_shape)[:, None, :]
    before = np.arange(lags - 1)[None, :, None]
    steps = np.zeros((*theta.shape[:1], lags, theta.shape[2]))
    turns = np.zeros_like(steps)
    np.cumsum(np.log((shape + before) / (before + 1)), axis=1, out=steps[:, 1:])
    np.cumsum(shape / (shape + before), axis=1, out=turns[:, 1:])
    lag = np.arange(lags)[None, :, None]
    heights = steps + lag * np.log(np.maximum(theta, _TINY))
    weights = np.exp(heights - heights.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    drift = lag * (1 - theta)
    by_theta = weights * (drift - (weights * drift).sum(axis=1, keepdims=True))
    by_shape = weights * (turns - (weights * turns).sum(axis=1, keepdims=True))
    return Kernel(weights, by_theta, by_shape)


def saturate(family: Family, stock: Floats, log_half: Floats, log_slope: Floats | None) -> Saturation:
    """The curve at adstocked spends (C, R, N), for parameters (C, N). Without slopes those are 1."""
    half = np.exp(log_half)[:, None, :]
    if family is Family.LOGISTIC:
        return _logistic(stock, half, None if log_slope is None else np.exp(log_slope)[:, None, :])
    if log_slope is None:
        below = stock + half
        square = below * below
        values = stock * (1 + half)
        values /= below
        by_half = stock * half
        by_half *= np.subtract(stock, 1, out=below)
        by_half /= square
        return Saturation(values, (1 + half) * half / square, by_half, np.zeros(0))
    return _hill(stock, half, np.exp(log_slope)[:, None, :])


def _clipped(logs: Floats) -> Floats:
    """Logs in their place, whose squares' exponentials are still numbers: a sampler tries slopes of 70, too."""
    return np.clip(logs, -_FARTHEST, _FARTHEST, out=logs)


def _hill(stock: Floats, half: Floats, slope: Floats) -> Saturation:
    floored, log_half = np.maximum(stock, _TINY), np.log(half)
    log_stock = np.log(floored)
    risen, bent = _clipped(slope * log_stock), np.exp(_clipped(slope * log_half))
    np.exp(risen, out=risen)
    below = risen + bent
    square = below * below
    values = risen * (1 + bent)
    values /= below
    by_half = np.subtract(risen, 1, out=below)
    by_half *= risen
    by_half /= square
    by_half *= slope
    by_half *= bent
    by_slope = np.divide((1 + bent) * bent, square, out=square)
    by_slope *= slope
    by_slope *= risen
    by_stock = np.divide(by_slope, floored, out=floored)
    by_slope *= log_stock
    by_slope += by_half * log_half
    return Saturation(values, by_stock, by_half, by_slope)


def _logistic(stock: Floats, half: Floats, slope: Floats | None) -> Saturation:
    log_half = np.log(half)
    if slope is None:
        inner, bent, per_stock = stock / half, 1 / half, 1 / half
    else:
        floored = np.maximum(stock, _TINY)
        logs = np.log(floored)
        inner = logs - log_half
        inner *= slope
        np.exp(_clipped(inner), out=inner)
        bent, per_stock = np.exp(_clipped(-slope * log_half)), np.divide(inner, floored, out=floored)
    inner *= HALF
    np.minimum(inner, _STEEPEST, out=inner)
    usual = np.minimum(HALF * bent, _STEEPEST)
    top, one = np.tanh(inner), np.tanh(usual)
    there = (1 - one * one) * usual
    values = top / one
    rest = np.subtract(1, np.multiply(top, top, out=top), out=top)
    by_stock = rest * HALF if slope is None else slope * rest * HALF
    by_stock *= per_stock
    by_stock /= one
    here, held = np.multiply(rest, inner, out=inner), values * there
    by_half = np.subtract(here, held, out=rest)
    by_half *= -1 if slope is None else -slope
    by_half /= one
    if slope is None:
        return Saturation(values, by_stock, by_half, np.zeros(0))
    held *= log_half
    logs -= log_half
    here *= logs
    here += held
    here *= slope
    here /= one
    return Saturation(values, by_stock, by_half, here)


def elasticity_at_half(family: Family, slope: Floats) -> Floats:
    """By how many per cent a response rises with 1 % more adstocked spend where it is half of the most: n/2 of Hill's
    curve, 0.82 n of the logistic one. It says the same of both; n does not.
    """
    return np.asarray(slope * (1.5 * HALF if family is Family.LOGISTIC else 0.5))


def most(family: Family, half: Floats, slope: Floats) -> Floats:
    """What the curve approaches: the beta of a channel that brings 1 at `scale`."""
    if family is Family.LOGISTIC:
        return np.asarray(1 / np.tanh(np.minimum(HALF / half**slope, _STEEPEST)))
    return np.asarray(1 + half**slope)
