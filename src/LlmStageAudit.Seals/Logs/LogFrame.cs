using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Seals.Logs;

/// <summary>A stretch of a log's bytes: a record, or bytes that are none.</summary>
/// <param name="Offset">Where it begins in the file.</param>
/// <param name="End">Where it ends.</param>
/// <param name="Record">What its header says; null where the bytes are no record.</param>
/// <param name="Hash">The hash stored at its end; empty where the bytes are no record.</param>
internal sealed record LogFrame(long Offset, long End, StepRecord? Record, byte[] Hash)
{
    public long SizeBytes => End - Offset;

    /// <summary>Where the stored hash begins.</summary>
    public long HashOffset => End - TrajectoryFrame.HashBytes;
}
