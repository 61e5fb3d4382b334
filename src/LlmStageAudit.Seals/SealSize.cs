using LlmStageAudit.Records.Runs;
using LlmStageAudit.Seals.Logs;

namespace LlmStageAudit.Seals;

/// <summary>How large the seal of a finished run will be, before it runs.</summary>
public static class SealSize
{
    private static readonly string s_hash = new('0', 64);

    /// <summary>Length of seal.json in bytes.</summary>
    /// <param name="manifest">As it will be; hashes may be any of the right length.</param>
    /// <param name="stateFiles">Names and sizes of the files of a trainable state.</param>
    /// <param name="logs">Bytes of each stage's log.</param>
    /// <param name="gradientBytes">Of each record's gradient, or 0.</param>
    public static long Of(
        RunManifest manifest, IReadOnlyList<(string Name, long SizeBytes)> stateFiles, IReadOnlyList<long> logs, long gradientBytes)
    {
        var json = ManifestSections.Json(manifest);
        var seals = new List<SealEntry> { Entry(0, SealScope.Start, ManifestSections.OfStart(json), State("initial")) };
        foreach (var (index, stage) in manifest.Stages.Index())
        {
            var folder = $"stages/{index + 1:00}-{stage.Name}";
            var interval = Math.Max(1, (stage.Steps + SealedLog.MaximumMarks - 1) / SealedLog.MaximumMarks);
            seals.Add(Entry(index + 1, SealScope.Stage, ManifestSections.OfStage(json, index), State($"{folder}/state")) with
            {
                Stage = stage.Name,
                StageIndex = index,
                Log = new SealedLog
                {
                    Path = $"{folder}/trajectory.log",
                    Records = stage.Steps,
                    SizeBytes = logs[index],
                    GradientBytes = (int)gradientBytes,
                    HeadSha256 = s_hash,
                    MarkInterval = interval,
                    Marks = [.. Enumerable.Repeat(s_hash, stage.Steps / interval)],
                },
            });
        }

        var bytes = SealDigest.FileBytes(manifest).Length;
        seals.Add(Entry(
            seals.Count, SealScope.Run, ManifestSections.All(json),
            [new SealedFile { Path = "manifest.json", SizeBytes = bytes, Sha256 = s_hash }]));
        return SealDigest.FileBytes(new RunSeal { RunId = manifest.RunId, Sequence = seals.Count, Seals = seals, Sha256 = s_hash }).Length;

        SealedFile[] State(string folder) =>
            [.. stateFiles.Select(file => new SealedFile { Path = $"{folder}/{file.Name}", SizeBytes = file.SizeBytes, Sha256 = s_hash })];

        static SealEntry Entry(int index, SealScope scope, IReadOnlyList<SealedSection> sections, SealedFile[] files) => new()
        {
            Sequence = index + 1, Scope = scope, Manifest = sections, Files = files, PreviousSha256 = s_hash, Sha256 = s_hash,
        };
    }
}
