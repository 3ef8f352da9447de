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
of an S.
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
        values = stock * (1 + half) / below
        by_stock = (1 + half) * half / (below * below)
        by_half = stock * half * (stock - 1) / (below * below)
        return Saturation(values, by_stock, by_half, np.zeros(0))
    return _hill(stock, half, np.exp(log_slope)[:, None, :])


def _hill(stock: Floats, half: Floats, slope: Floats) -> Saturation:
    log_stock, log_half = np.log(np.maximum(stock, _TINY)), np.log(half)
    risen, bent = np.exp(slope * log_stock), np.exp(slope * log_half)
    below = risen + bent
    values = risen * (1 + bent) / below
    by_risen = (1 + bent) * bent / (below * below)
    by_bent = risen * (risen - 1) / (below * below)
    by_stock = by_risen * slope * risen / np.maximum(stock, _TINY)
    by_half = by_bent * slope * bent
    by_slope = by_risen * slope * risen * log_stock + by_bent * slope * bent * log_half
    return Saturation(values, by_stock, by_half, by_slope)


def _logistic(stock: Floats, half: Floats, slope: Floats | None) -> Saturation:
    if slope is None:
        log_half, steep, per_stock = np.log(half), np.ones(1), 1 / half
        risen, bent = stock / half, 1 / half
    else:
        log_half, steep = np.log(half), slope
        risen = np.exp(slope * (np.log(np.maximum(stock, _TINY)) - log_half))
        bent, per_stock = np.exp(-slope * log_half), risen / np.maximum(stock, _TINY)
    inner, usual = np.minimum(HALF * risen, _STEEPEST), np.minimum(HALF * bent, _STEEPEST)
    top, one = np.tanh(inner), np.tanh(usual)
    values = top / one
    here, there = (1 - top * top) * inner, (1 - one * one) * usual
    by_stock = steep * (1 - top * top) * HALF * per_stock / one
    by_half = -steep * (here - values * there) / one
    if slope is None:
        return Saturation(values, by_stock, by_half, np.zeros(0))
    logs = np.log(np.maximum(stock, _TINY))
    by_slope = slope * (here * (logs - log_half) + values * there * log_half) / one
    return Saturation(values, by_stock, by_half, by_slope)


def most(family: Family, half: Floats, slope: Floats) -> Floats:
    """What the curve approaches: the beta of a channel that brings 1 at `scale`."""
    if family is Family.LOGISTIC:
        return np.asarray(1 / np.tanh(np.minimum(HALF / half**slope, _STEEPEST)))
    return np.asarray(1 + half**slope)
