namespace LlmStageAudit.Artifacts.Trajectories;

/// <summary>Where a frame lies and what its header says.</summary>
internal sealed record TrajectoryEntry(StepRecord Record, long Offset, int HeaderBytes, int PayloadBytes, byte[] Hash)
{
    public long End => Offset + TrajectoryFrame.FramingBytes + HeaderBytes + PayloadBytes + TrajectoryFrame.HashBytes;
}
