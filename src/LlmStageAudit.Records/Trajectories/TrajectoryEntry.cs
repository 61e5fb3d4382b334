namespace LlmStageAudit.Records.Trajectories;

/// <summary>Where a frame lies and what its header says.</summary>
/// <param name="Hash">Its 32 bytes as the file has them.</param>
internal readonly record struct TrajectoryEntry(
    StepRecord Record,
    long Offset,
    int HeaderBytes,
    int PayloadBytes,
    ReadOnlyMemory<byte> Hash)
{
    public long End => Offset + TrajectoryFrame.FramingBytes + HeaderBytes + PayloadBytes + TrajectoryFrame.HashBytes;
}
