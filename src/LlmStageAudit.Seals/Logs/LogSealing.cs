using LlmStageAudit.Records.Trajectories;
using LlmStageAudit.Seals.Findings;

namespace LlmStageAudit.Seals.Logs;

/// <summary>Pins a stage's finished log.</summary>
internal static class LogSealing
{
    /// <summary>Walks over the log and pins its end and hashes along its chain.</summary>
    /// <param name="path">The log.</param>
    /// <param name="name">Its path within the run folder.</param>
    /// <param name="records">How many it must hold.</param>
    /// <param name="head">The hash its chain must end with.</param>
    /// <param name="genesis">What its chain begins with, to compute every hash again; null to take the stored ones.</param>
    /// <exception cref="SealException">The log is not the one to be sealed.</exception>
    public static SealedLog Seal(string path, string name, int records, string head, string? genesis)
    {
        using var file = new LogFile(path);
        if (!file.HasPreamble()) throw SealException.LogDiffers(path, "it does not begin as a trajectory log");
        var interval = Math.Max(1, (records + SealedLog.MaximumMarks - 1) / SealedLog.MaximumMarks);
        var marks = new List<string>(Math.Min(records, SealedLog.MaximumMarks));
        var offset = (long)TrajectoryFrame.PreambleBytes;
        var previous = genesis is null ? [] : TrajectoryFrame.GenesisHash(genesis);
        var gradientBytes = 0;
        for (var number = 1; number <= records; number++)
        {
            if (file.SkipAt(offset) is not { } frame)
                throw SealException.LogDiffers(path, $"{number - 1} whole records in place of {records}");
            if (genesis is not null
                    && !file.HashOf(previous, offset, frame.End - TrajectoryFrame.HashBytes).AsSpan().SequenceEqual(frame.Hash))
                throw SealException.LogDiffers(path, $"record {number} was changed: its hash does not match");
            if (number % interval == 0) marks.Add(Convert.ToHexStringLower(frame.Hash));
            (offset, previous, gradientBytes) = (frame.End, frame.Hash, frame.PayloadBytes);
        }

        var found = records == 0 ? head : Convert.ToHexStringLower(previous);
        if (found != head) throw SealException.LogDiffers(path, $"its chain ends in {found}, not in {head}");
        if (offset != file.SizeBytes) throw SealException.LogDiffers(path, $"{file.SizeBytes - offset} bytes after its {records} records");
        return new SealedLog
        {
            Path = name,
            Records = records,
            SizeBytes = offset,
            GradientBytes = gradientBytes,
            HeadSha256 = head,
            MarkInterval = interval,
            Marks = marks,
        };
    }
}
