"""The equation of each choice of the catalogue, LaTeX, as its docstring says it in plain text.

z: a neuron's input in a step. a: the ANN's activation. phi: the spiking neuron's mean output. theta: its threshold.
"""

LEVELS = r"\mathrm{clip}(z / \theta, 0, 1)"
EQUATIONS = {
    # what the ANN trains with
    "ReLU": r"a = \max(z, 0)",
    "Clip": r"a = \min(\max(z, 0), \theta)",
    "QuantClip": rf"a = \frac{{\theta}}{{L}} \left\lfloor L \, {LEVELS} \right\rfloor",
    "QCFS": rf"a = \frac{{\theta}}{{L}} \left\lfloor L \, {LEVELS} + \frac{{1}}{{2}} \right\rfloor",
    "NoisyQuantClip": r"a = \theta \cdot \begin{cases} u & \text{with probability keep} \\ "
    rf"\lfloor L u + 1/2 \rfloor / L & \text{{else}} \end{{cases}} \qquad u = {LEVELS}",
    "RateNorm": rf"a = \theta \, {LEVELS}, \qquad \theta = \sigma(k) \cdot m",
    # thresholds
    "largest": r"\theta = \max a",
    "largest_per_neuron": r"\theta_i = \max_n a_{n,i}",
    "percentile": r"\theta = P_p(a)",
    "mmse": r"\theta = \underset{V}{\mathrm{argmin}} \; \mathrm{mean} \left( a - \frac{V}{T} \, "
    r"\mathrm{clip}\left(\left\lfloor \frac{a T}{V} + \frac{1}{2} \right\rfloor, 0, T\right) \right)^2",
    "balanced": r"\theta \leftarrow \theta + \mathrm{rate} \cdot \mathrm{mean} \max(a - \theta, 0)",
    "trained": r"\theta = \theta_{\mathrm{ANN}}",
    # initial potentials
    "zero": r"v[0] = 0",
    "half": r"v[0] = \theta / 2",
    "offset_rule": r"v[0] = \frac{\theta}{2} + \frac{T}{L} \left( \mathrm{shift} - \frac{1}{2} \right) \theta",
    "offset_or_half": r"v[0] = \begin{cases} \frac{\theta}{2} + \frac{T}{L} \left( \mathrm{shift} - \frac{1}{2} "
    r"\right) \theta & T < L \\ \theta / 2 & T \ge L \end{cases}",
    # corrections
    "shift_bias": r"z \leftarrow z + \frac{\theta}{2 T}",
    "calibrate_bias": r"b_c \leftarrow b_c + \mathrm{mean}\,(a - \varphi)",
    "calibrate_offset": r"b_c \leftarrow b_c + \mathrm{mean}\,(a - \varphi) \qquad T \ge L",
    "lmpc": r"v[0] \leftarrow v[0] + T \cdot \mathrm{mean}_n (a_n - \varphi_n)",
    "lwc": r"W \leftarrow \underset{W}{\mathrm{argmin}} \; \mathrm{mean}\,(\varphi - a)^2",
    # neurons
    "IF": r"v \leftarrow v + z[t], \qquad s[t] = [v \ge \theta], \qquad v \leftarrow v - \theta \, s[t]",
    "SNM": r"s[t] = \begin{cases} +1 & v \ge \theta \\ -1 & v \le -\theta \text{ and } \sum_{i<t} s[i] > 0 "
    r"\\ 0 & \text{else} \end{cases}",
    "ZeroThresholdIF": r"s[t] = \begin{cases} +1 & v \ge \theta \\ -1 & v < 0 \text{ and } \sum_{i<t} s[i] > 0 "
    r"\\ 0 & \text{else} \end{cases}",
    "CounterIF": r"s[t] = \left[ v[0] + \sum_{i \le t} z[i] - \theta \, S[t-1] \ge \theta \right], "
    r"\qquad S[t] = S[t-1] + s[t]",
    "CaLIF": r"s[t] = \begin{cases} +1 & v \ge \theta \\ -1 & v \le -\theta \text{ and } c > 0.001 "
    r"\\ 0 & \text{else} \end{cases} \qquad c \leftarrow \mathrm{decay} \cdot c + s[t]",
    "OffsetSpikeIF": r"v[0] \leftarrow \begin{cases} v[0] - \max(1, \text{lowest peak that fired} - 1 + "
    r"\text{margin}) & v[T] < 0 \\ v[0] + \max(1, 1 + \text{margin} - \text{highest peak that did not}) & v[T] \ge 1 "
    r"\end{cases} \qquad (\theta = 1)",
    # tunings
    "threshold_finetune": r"\theta = \underset{\theta}{\mathrm{argmin}} \; \mathrm{cross\ entropy}\left( "
    r"\frac{1}{T} \sum_t \mathrm{logits}[t] \right)",
    "threshold_feedback": r"\theta_l \leftarrow \theta_l \left( 1 + \mathrm{gain} \cdot E \, "
    r"\frac{e_l}{\sum_k e_k} \right), \qquad e_l = \mathrm{mean} \, |\varphi_l - a_l|",
}
