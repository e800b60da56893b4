"""The catalogue: every published method of the kit, each a declaration of its choices; and room for one's own.

Where a paper and what is told of it disagree, both stand here under names that say what they do.
"""

from snnlab.activations import QCFS, Clip, NoisyQuantClip, QuantClip, RateNorm
from snnlab.converters.choices import (
    balanced,
    calibrate_bias,
    calibrate_offset,
    half,
    largest,
    largest_per_neuron,
    lmpc,
    lwc,
    mmse,
    offset_or_half,
    offset_rule,
    percentile,
    shift_bias,
    threshold_feedback,
    threshold_finetune,
    trained,
)
from snnlab.converters.methods import Method
from snnlab.files import short
from snnlab.neurons import SNM, CaLIF, CounterIF, OffsetSpikeIF, ZeroThresholdIF
from snnlab.neurons.door import door

XIONG = "Xiong et al., Control Theory & Applications 42(3):531-540"

CATALOGUE: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            name="max_norm",
            title="MaxNorm: the largest activation is the threshold",
            paper="Diehl et al., Fast-classifying, high-accuracy spiking deep networks, IJCNN",
            year=2015,
        ),
        Method(
            name="robust_norm",
            title="RobustNorm: the 99.9th percentile of the activations is the threshold",
            paper="Rueckauer et al., Conversion of continuous-valued deep networks, Front. Neurosci. 11:682",
            year=2017,
            threshold=percentile(99.9),
        ),
        Method(
            name="tcl",
            title="TCL: clip at an upper end that is learned with the weights, and is the threshold",
            paper="Ho & Chang, TCL: an ANN-to-SNN conversion with trainable clipping layers, DAC",
            year=2021,
            activation=Clip,
            threshold=trained,
        ),
        Method(
            name="threshold_finetune",
            title="Thresholds learned with the spiking network in the loop, weights frozen",
            paper="what summaries call TCL; surrogate gradients: Neftci et al., IEEE Signal Proc. Mag. 36(6)",
            year=2019,
            threshold=percentile(99.9),
            v0=half,
            tuning=threshold_finetune(),
            depends_on_T=True,
        ),
        Method(
            name="rate_norm",
            title="RateNorm: a learned share of the largest activation is the threshold",
            paper="Ding et al., Optimal ANN-SNN conversion for fast and accurate inference, IJCAI",
            year=2021,
            activation=RateNorm,
            threshold=trained,
        ),
        Method(
            name="opt_shift",
            title="Opt: a clipped network, and theta / (2 T) more in each step",
            paper="Deng & Gu, Optimal conversion of conventional artificial neural networks to SNNs, ICLR",
            year=2021,
            activation=Clip,
            threshold=largest,
            corrections=(shift_bias,),
            depends_on_T=True,
        ),
        Method(
            name="opi",
            title="OPI: start at half the threshold, on RobustNorm's thresholds",
            paper="Bu et al., Optimized potential initialization, AAAI",
            year=2022,
            threshold=percentile(99.9),
            v0=half,
        ),
        Method(
            name="calibration_light",
            title="Light calibration: least-squares thresholds, then each channel's bias",
            paper="Li et al., A free lunch from ANN, ICML",
            year=2021,
            threshold=mmse("channel"),
            corrections=(shift_bias, calibrate_bias),
            depends_on_T=True,
        ),
        Method(
            name="calibration_advanced",
            title="Advanced calibration: least-squares thresholds, then potentials and weights",
            paper="Li et al., A free lunch from ANN, ICML",
            year=2021,
            threshold=mmse("channel"),
            corrections=(shift_bias, lmpc(), lwc(5, through="mean")),
            depends_on_T=True,
        ),
        Method(
            name="qcfs",
            title="QCFS: trained with a quantised, clipped activation, whose upper end is the threshold",
            paper="Bu et al., Optimal ANN-SNN conversion for high-accuracy and ultra-low-latency SNNs, ICLR",
            year=2022,
            activation=QCFS,
            threshold=trained,
            v0=half,
        ),
        Method(
            name="snm",
            title="SNM: signed neurons with memory, a threshold for each neuron",
            paper="Wang et al., Signed neuron with memory, IJCAI",
            year=2022,
            threshold=largest_per_neuron,
            neuron=SNM,
        ),
        Method(
            name="snm_counter",
            title="SNM as it is told: a spike counter, no negative spikes, a threshold for each layer",
            paper="what summaries tell of Wang et al., Signed neuron with memory; its own method is snm",
            year=2022,
            threshold=largest,
            neuron=CounterIF,
        ),
        Method(
            name="ca_lif",
            title="Ca-LIF: bipolar neurons with a calcium gate, on a network with 8-bit weights",
            paper="after Gao et al., High-accuracy deep ANN-to-SNN conversion, Front. Neurosci. 17:1141701",
            year=2023,
            activation=QCFS,
            threshold=trained,
            v0=half,
            neuron=CaLIF,
        ),
        Method(
            name="dual_phase",
            title="Dual phase: noisy rounding in training, then potentials, weights, potentials",
            paper="Wang et al., Towards lossless ANN-SNN conversion, arXiv 2205.07473",
            year=2022,
            activation=NoisyQuantClip,
            threshold=trained,
            v0=half,
            corrections=(lmpc(2), lwc(), lmpc()),
            depends_on_T=True,
        ),
        Method(
            name="threshold_feedback",
            title="Thresholds from the largest activations, raised by the output's error",
            paper="what summaries tell of Wang et al., arXiv 2205.07473; its own method is dual_phase",
            year=2022,
            tuning=threshold_feedback(),
            depends_on_T=True,
        ),
        Method(
            name="qc_ann",
            title="QC-ANN, phase I: fine-tuned with a staircase that rounds down, v0 = 0",
            paper=XIONG,
            year=2025,
            activation=QuantClip,
            threshold=trained,
        ),
        Method(
            name="rmpe_lmpc",
            title="QC-ANN with calibrated potentials (LMPC)",
            paper=XIONG,
            year=2025,
            activation=QuantClip,
            threshold=trained,
            v0=offset_rule,
            corrections=(lmpc(3),),
            depends_on_T=True,
        ),
        Method(
            name="rmpe_lwc",
            title="QC-ANN with calibrated weights (LWC)",
            paper=XIONG,
            year=2025,
            activation=QuantClip,
            threshold=trained,
            corrections=(lwc(),),
            depends_on_T=True,
        ),
        Method(
            name="rmpe",
            title="QC-ANN with calibrated potentials and weights (LMPC, LWC, LMPC)",
            paper=XIONG,
            year=2025,
            activation=QuantClip,
            threshold=trained,
            v0=offset_or_half,
            corrections=(calibrate_offset, lmpc(3), lwc(), lmpc()),
            depends_on_T=True,
        ),
        Method(
            name="offset_rule",
            title="QC-ANN, started where its rounding asks for: no data, no training",
            paper="this kit; the rule follows from the roundings of Bu et al. and Xiong et al.",
            year=2026,
            activation=QuantClip,
            threshold=trained,
            v0=offset_rule,
            depends_on_T=True,
        ),
        Method(
            name="cos",
            title="COS: each neuron looks ahead and mends one offset spike",
            paper="Hao et al., Bridging the gap between ANNs and SNNs by calibrating offset spikes, ICLR",
            year=2023,
            activation=QCFS,
            threshold=trained,
            v0=half,
            neuron=OffsetSpikeIF,
            depends_on_T=True,
        ),
        Method(
            name="local_threshold_balancing",
            title="Local threshold balancing: each channel's threshold down its clipping loss, no training",
            paper="Bu et al., Inference-scale complexity in ANN-SNN conversion, CVPR",
            year=2025,
            threshold=balanced(),
            v0=half,
        ),
        Method(
            name="signed_calibrated",
            title="Plain ReLU network, least-squares thresholds, spikes that can be taken back, calibrated",
            paper="this kit: five known choices in a new composition",
            year=2026,
            threshold=mmse("channel"),
            v0=half,
            neuron=ZeroThresholdIF,
            corrections=(calibrate_bias, lmpc(), lwc(2, batch=4), lmpc(1, "channel")),
            depends_on_T=True,
        ),
    )
}


@door
def find(method: str | Method) -> Method:
    """The method of that name, or the one given. Raises: ValueError with the names there are."""
    if isinstance(method, Method):
        return method
    if method not in CATALOGUE:
        raise ValueError(
            f"method = {short(method)}, but it is one of {', '.join(CATALOGUE)}, or a Method of your own"
        )
    return CATALOGUE[method]


@door
def register(method: Method) -> Method:
    """Add a method of one's own, so that its name works wherever a method's name does; returns it.

    A name may be registered again: the newer declaration counts, so a notebook's cell can be run twice.

    Args:
        method: its name, and its choices.
    Raises: ValueError for the name of a published method.
    """
    if method.name in PUBLISHED:
        raise ValueError(
            f"name = {method.name!r}, but that is a method of the catalogue: choose another name"
        )
    CATALOGUE[method.name] = method
    return method


PUBLISHED = frozenset(CATALOGUE)
"""The names that cannot be registered."""
