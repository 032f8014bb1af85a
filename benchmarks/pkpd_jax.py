"""An adaptive Runge-Kutta solver of diffrax, compiled by jax for all patients at once, on the processor in float64."""

from __future__ import annotations

from functools import partial

import diffrax
import jax
import numpy as np

from benchmarks.pkpd_walk import Walk

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")


def by_diffrax(walk: Walk, rtol: float, atol: float) -> np.ndarray:
    """Return what is read at every moment, (n, M)."""
    seen = _all(rtol, atol, walk.rates, walk.gaps, walk.jumps, walk.turns, walk.readout)
    return np.asarray(seen)


@partial(jax.jit, static_argnums=(0, 1))
@partial(jax.vmap, in_axes=(None, None, 0, 0, 0, 0, 0))
def _all(
    rtol: float, atol: float, rates: jax.Array, gaps: jax.Array, jumps: jax.Array, turns: jax.Array, readout: jax.Array
) -> jax.Array:
    control = diffrax.PIDController(rtol=rtol, atol=atol)
    field = diffrax.ODETerm(lambda _t, x, flow: rates @ x + flow)

    def step(now: tuple[jax.Array, jax.Array], happens: tuple[jax.Array, ...]) -> tuple[tuple, jax.Array]:
        (state, flow), (gap, jump, turn) = now, happens
        ran = diffrax.diffeqsolve(
            field, diffrax.Tsit5(), 0.0, gap, None, state, flow, stepsize_controller=control, max_steps=None
        )
        state = ran.ys[-1] + jump
        return (state, flow + turn), readout @ state

    nothing = jax.numpy.zeros_like(readout)
    return jax.lax.scan(step, (nothing, nothing), (gaps, jumps, turns))[1]
