"""The converted network on a grid: the same spikes, to the last bit, on every machine and in every order.

A spiking network amplifies rounding: one unit in the last place moves a spike, and the next layer sees another
train. So the network is put where nothing is rounded. In units of each neuron's threshold (weights W theta_prev
/ theta, threshold 1, spikes whole numbers) weights and biases become multiples of 2^-k, with k for each output
channel such that the largest possible sum stays below 2^(24 - k). Then every partial sum is an exact float32
number, and the order of summation does not matter. Sums over analog values (the images) have 53 bits, in
float64, and are computed once.

How fine the grid is, is a choice, `bits`. With 24 a weight has all bits that float32 sums allow, two or three bytes;
what is not a sum (a shortcut's scale) is in float64, and so are potentials that outgrow float32. With 15 a weight
that meets spikes is a whole number of two bytes, so that integer operations add up what float32 adds up
(planes.py), and a potential fits float32 as long as it stays below 2^24 multiples (neurons/integrate.py watches
that). With 8 it is a byte, as on neuromorphic chips.
"""

from snnlab.converters.grid.comparing import on_grid
from snnlab.converters.grid.nodes import Exact, Rescale
from snnlab.converters.grid.precision import BITS, PRECISIONS, check_bits, whole_shares

__all__ = ["BITS", "PRECISIONS", "Exact", "Rescale", "check_bits", "on_grid", "whole_shares"]
