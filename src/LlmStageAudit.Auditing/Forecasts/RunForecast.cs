using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Auditing.Forecasts;

/// <summary>The run and the audit whose cost is to be foretold.</summary>
/// <param name="Configuration">The run's.</param>
/// <param name="Folder">Where it would lie.</param>
public sealed record ForecastRequest(RunConfiguration Configuration, string Folder)
{
    /// <summary>The probes whose effects would be asked for.</summary>
    public IReadOnlyList<ProbeConfiguration> Probes { get; init; } = [];

    /// <summary>About how long to measure, loading aside.</summary>
    public double MeasureSeconds { get; init; } = 20;

    /// <summary>What the process took before it could begin, to be counted into every command's time.</summary>
    public double StartSeconds { get; init; }
}

/// <summary>What a part of an audit will take.</summary>
/// <param name="Name">Such as "load", "train religion", "attribute identity, exact".</param>
/// <param name="Command">
/// The verb it belongs to. Of train, loading and each stage are phases of their own; another verb's phase is all of it.
/// </param>
/// <param name="Seconds">Wall time.</param>
/// <param name="PeakMemoryBytes">The most of the process that is resident.</param>
/// <param name="DiskBytes">What stays on disk.</param>
public sealed record PhaseForecast(string Name, string Command, double Seconds, long PeakMemoryBytes, long DiskBytes);

/// <summary>What an audit will take, phase by phase, and what the machine has.</summary>
public sealed record RunForecast
{
    /// <summary>In the order of the walk: load, train per stage, evaluate and attribute per probe, retrain.</summary>
    public required IReadOnlyList<PhaseForecast> Phases { get; init; }

    /// <summary>Memory the process could have; null where the system does not say.</summary>
    public required long? AvailableMemoryBytes { get; init; }

    /// <summary>Free where the run would lie; null where the system does not say.</summary>
    public required long? FreeDiskBytes { get; init; }

    /// <summary>Steps of training and of sweeping, and batches of probes, that were run to find out.</summary>
    public required (int Training, int Sweep, int Probe) Measured { get; init; }

    /// <summary>SHA-256, which chains the log.</summary>
    public required double HashBytesPerSecond { get; init; }

    /// <summary>The file system the run would lie on.</summary>
    public required double WriteBytesPerSecond { get; init; }

    /// <summary>What the figures take for granted, a sentence each.</summary>
    public required IReadOnlyList<string> Assumptions { get; init; }

    /// <summary>Whether every phase fits in memory and all together on disk; what the system does not say counts as enough.</summary>
    public bool Fits => FitsIn(Whole);

    /// <summary>Training alone.</summary>
    public PhaseForecast Training => Total("train", [.. Phases.Where(phase => phase.Command == "train")]);

    /// <summary>All phases, one after the other.</summary>
    public PhaseForecast Whole => Total("all", [.. Phases]);

    /// <summary>As <see cref="Fits"/>, of training alone.</summary>
    public bool TrainingFits => FitsIn(Training);

    private static PhaseForecast Total(string name, PhaseForecast[] phases) =>
        new(
            name,
            name,
            phases.Sum(phase => phase.Seconds),
            phases.Max(phase => phase.PeakMemoryBytes),
            phases.Sum(phase => phase.DiskBytes));

    private bool FitsIn(PhaseForecast all) => !(all.PeakMemoryBytes > AvailableMemoryBytes) && !(all.DiskBytes > FreeDiskBytes);
}
