namespace LlmStageAudit.Records.Trajectories;

/// <summary>How large a log will be, before it is written.</summary>
public static class TrajectoryLogSize
{
    /// <summary>The bytes of a log of these records; exact where the records are.</summary>
    /// <param name="gradientBytes">Of each record's gradient: four per parameter, or 0.</param>
    public static long Of(IEnumerable<StepRecord> records, long gradientBytes) => TrajectoryFrame.PreambleBytes + records.Sum(record =>
        TrajectoryFrame.FramingBytes + TrajectoryFrame.HeaderOf(record).Length + gradientBytes + TrajectoryFrame.HashBytes);
}
