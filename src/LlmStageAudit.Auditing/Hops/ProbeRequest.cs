using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Hops;

/// <summary>What every question of a probe says.</summary>
public abstract record ProbeRequest
{
    /// <summary>What is measured, on which examples.</summary>
    public required ProbeConfiguration Probe { get; init; }

    /// <summary>What becomes of examples whose identity is not annotated.</summary>
    public UnlabelledPolicy Unlabelled { get; init; } = UnlabelledPolicy.Exclude;

    /// <summary>Reads the probe for a model, and says what is to be known of it.</summary>
    /// <param name="model">What is to be measured.</param>
    /// <param name="reader">Reads rows as the model takes them.</param>
    /// <param name="trainedOn">What the model was trained on, as far as it is known.</param>
    /// <param name="host">Is told.</param>
    internal Probe ReadProbe(LanguageModel model, ExampleReader reader, IReadOnlyList<ExampleSet> trainedOn, WalkHost host)
    {
        var probe = Probing.Probes.Probe.Read(Probe, model, reader, Unlabelled, trainedOn);
        foreach (var warning in probe.Warnings) host.Observer.Warn(warning);
        return probe;
    }
}

/// <summary>What every question about a run and a probe says.</summary>
public abstract record RunProbeRequest : ProbeRequest
{
    /// <summary>The folder of a completed run.</summary>
    public required string Run { get; init; }

    /// <summary>Opens the run and says where another engine computed it.</summary>
    internal TrainedRun OpenRun(WalkHost host)
    {
        var run = TrainedRun.Open(Run, host.Device());
        host.WarnOfOtherEngine(run.Manifest);
        return run;
    }

    /// <summary>Reads the probe for the run's model, and says what is to be known of it.</summary>
    internal Probe ReadProbe(TrainedRun run, WalkHost host) =>
        ReadProbe(run.Model, run.Materials.Reader, run.Materials.ExampleSets, host);
}
