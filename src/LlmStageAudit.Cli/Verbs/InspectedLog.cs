using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Trajectories;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Cli.Verbs;

/// <summary>What a trajectory log is, from its framing: whole, torn or damaged, and of which run. Hashes are for verify-log.</summary>
internal static class InspectedLog
{
    public static Dictionary<string, object?> Facts(string path)
    {
        var log = LogSummary.Read(path);
        var around = RunFolder.Around(path);
        return new()
        {
            ["kind"] = "trajectory-log",
            ["version"] = log.Version,
            ["condition"] = log.Fault is { } fault ? $"damaged after record {log.Records}: {fault}"
                : log.TornBytes > 0 ? $"torn: {log.TornBytes} bytes of an unfinished record after record {log.Records}"
                : "whole",
            ["records"] = log.Records,
            ["firstStep"] = log.First?.Step,
            ["lastStep"] = log.Last?.Step,
            ["lossFirst"] = log.First?.LossNats,
            ["lossLast"] = log.Last?.LossNats,
            ["gradientValues"] = log.GradientBytes / sizeof(float),
            ["sizeBytes"] = log.SizeBytes,
            ["headHash"] = log.HeadHash,
            ["run"] = around is null ? null : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path) ?? "", "..", "..")),
            ["runId"] = around?.Run.RunId,
            ["stage"] = around?.Stage.Name,
            ["belongs"] = around is { } found ? Belonging(path, log, found.Run, found.Stage) : "unknown: no run folder around it",
        };
    }

    private static string Belonging(string path, LogSummary log, RunManifest run, StageResult stage)
    {
        if (LogSummary.IsOf(path, StageLog.Genesis(run.RunId, stage.Name)) is not { } isOf) return "no record yet";
        if (!isOf) return "NO: its first record is of another run or stage, or was changed";
        if (stage.TrajectoryHead is not { } head) return "yes; the stage is not finished";
        return log.HeadHash == head && log.TornBytes == 0
            ? "yes, and it ends where the manifest says"
            : $"yes, but the manifest says that it ends in {head}";
    }
}
