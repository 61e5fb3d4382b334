using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Modeling.Parameters;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Probing.Probes;

/// <summary>
/// A reading of every probe example as a differentiable function of the trainable parameters. As an objective its "loss" is
/// the reading with the sign turned, since what a probe measures is good when it is high.
/// </summary>
public sealed class ProbeObjective(LanguageModel model, Probe probe, ProbeReading reading) : IObjective
{
    private readonly TransformerObjective _objective = new(model, probe.Examples);

    /// <inheritdoc/>
    public ParameterLayout Layout => model.Layout;

    /// <inheritdoc/>
    public ScalarType Dtype => model.Dtype;

    /// <inheritdoc/>
    public Device Device => model.Device;

    /// <inheritdoc/>
    public int ExampleCount => probe.Examples.Count;

    /// <inheritdoc/>
    public double Weight(int example) => 1;

    /// <inheritdoc/>
    public Tensor Losses(IReadOnlyList<Tensor> parameters, IReadOnlyList<int> examples, StepNoise? noise = null)
    {
        if (model.Task == ModelTask.CausalLm) return _objective.Losses(parameters, examples);
        var logits = _objective.Logits(parameters, examples);
        return -(reading == ProbeReading.LogOdds
            ? LogOdds(logits)
            : ExampleValue.Of(probe.Configuration.Metric, logits, [.. examples.Select(i => probe.Targets[i])]));
    }

    /// <summary>As <see cref="ProbeEvaluator.PositiveLogOdds"/>.</summary>
    private Tensor LogOdds(Tensor logits) => logits.narrow(1, 1, model.Labels - 1).logsumexp(-1) - logits.narrow(1, 0, 1).squeeze(1);
}
