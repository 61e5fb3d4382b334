namespace LlmStageAudit.Records.Runs;

/// <summary>
/// What computed a run: the same again is needed for the same bits. The same on a machine however often it is taken, so nothing of
/// a moment belongs here. What an older version did not record is null.
/// </summary>
public sealed record EngineRecord
{
    /// <summary>Version of the libtorch that was loaded.</summary>
    public required string LibTorchVersion { get; init; }

    /// <summary>Its compiler and, where it has one, its CUDA.</summary>
    public string? Build { get; init; }

    /// <summary>Inside one operator.</summary>
    public required int Threads { get; init; }

    /// <summary>Between operators.</summary>
    public int? InteropThreads { get; init; }

    /// <summary>What the tensors lived on, such as "cpu" or "cuda:0".</summary>
    public required string Device { get; init; }

    /// <summary>Operating system, architecture and number of processors.</summary>
    public required string Machine { get; init; }

    /// <summary>The processor's model.</summary>
    public string? Processor { get; init; }

    /// <summary>The vector instructions libtorch uses, such as AVX2.</summary>
    public string? CpuCapability { get; init; }

    /// <summary>The library of matrix products, with its version, kernel and threads where it says so.</summary>
    public string? Blas { get; init; }

    /// <summary>Versions of OpenMP and oneDNN.</summary>
    public string? Libraries { get; init; }

    /// <summary>What hands out the memory of tensors, such as "page heap".</summary>
    public string? Allocator { get; init; }

    /// <summary>Whether operators that vary from run to run are refused.</summary>
    public bool? Deterministic { get; init; }

    /// <summary>The .NET runtime.</summary>
    public required string Runtime { get; init; }

    /// <summary>NAME=value of the variables that are set and that engines choose threads or kernels by, in order.</summary>
    public IReadOnlyList<string>? Environment { get; init; }
}
