using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Seals.Sealing;

/// <summary>The seals of a run, made of what its manifest is about to say and what lies in its folder.</summary>
internal static class SealEntries
{
    private const string ManifestName = "manifest.json";

    public static SealEntry OfStart(RunManifest manifest, IReadOnlyList<SealedFile> initial) => SealFile.Close(new SealEntry
    {
        Sequence = 1,
        Scope = SealScope.Start,
        Manifest = ManifestSections.OfStart(ManifestSections.Json(manifest)),
        Files = initial,
        PreviousSha256 = SealFile.Genesis(manifest.RunId),
    });

    /// <summary>The seal of a completed stage: its result, its state and its log.</summary>
    /// <param name="manifest">What is about to be written, with the stage's result.</param>
    /// <param name="index">The stage's place in the manifest.</param>
    /// <param name="state">The files of its state.</param>
    /// <param name="log">Its log.</param>
    /// <param name="previous">The seal it is chained to.</param>
    public static SealEntry OfStage(
        RunManifest manifest, int index, IReadOnlyList<SealedFile> state, SealedLog log, SealEntry previous) => SealFile.Close(new SealEntry
        {
            Sequence = index + 2,
            Scope = SealScope.Stage,
            Stage = manifest.Stages[index].Name,
            StageIndex = index,
            Manifest = ManifestSections.OfStage(ManifestSections.Json(manifest), index),
            Files = state,
            Log = log,
            PreviousSha256 = previous.Sha256!,
        });

    public static SealEntry OfRun(RunManifest manifest, SealEntry previous)
    {
        var bytes = SealFile.BytesOf(manifest);
        return SealFile.Close(new SealEntry
        {
            Sequence = previous.Sequence + 1,
            Scope = SealScope.Run,
            Manifest = ManifestSections.All(ManifestSections.Json(manifest)),
            Files = [new SealedFile(ManifestName, bytes.Length, ContentHash.OfBytes(bytes))],
            PreviousSha256 = previous.Sha256!,
        });
    }

    public static RunSeal Join(string runId, IReadOnlyList<SealEntry> entries) =>
        SealFile.Close(new RunSeal { RunId = runId, Sequence = entries.Count, Seals = entries });

    /// <summary>Pins all files below a folder of the run.</summary>
    public static IReadOnlyList<SealedFile> Pin(RunFolder folder, string path) =>
    [
        .. SealPaths.FilesBelow(folder.Root, path)
            .Select(name => (name, file: SealPaths.Below(folder.Root, name)))
            .Select(pair => new SealedFile(pair.name, new FileInfo(pair.file).Length, ContentHash.OfFile(pair.file))),
    ];

    /// <summary>Pins a stage's finished log by the end of its chain and hashes along it; its writer vouches for them.</summary>
    /// <param name="path">The log.</param>
    /// <param name="name">Its path within the run folder.</param>
    /// <param name="genesis">What its chain begins with.</param>
    /// <param name="stage">How many records it must hold, and the hash its chain must end with.</param>
    /// <exception cref="TrajectoryException">The log is damaged.</exception>
    /// <exception cref="SealException">The log is not the one to be sealed.</exception>
    public static SealedLog PinLog(string path, string name, string genesis, StageResult stage)
    {
        using var stream = TrajectoryReader.OpenFile(path);
        using var scan = new TrajectoryScan(stream, path, genesis);
        scan.CheckPreamble();
        var interval = SealedLog.IntervalOf(stage.Steps);
        var marks = new List<string>();
        while (scan.TryAdvance())
        {
            if (scan.Count % interval == 0) marks.Add(Convert.ToHexStringLower(scan.HeadHash));
        }

        var (records, rest) = (scan.Count, scan.Length - scan.End);
        if (records != stage.Steps || rest != 0)
            throw SealException.Differs(path, $"{records} whole records and {rest} bytes after them in place of {stage.Steps} records");
        var expected = stage.TrajectoryHead ?? "";
        var head = stage.Steps == 0 ? expected : Convert.ToHexStringLower(scan.HeadHash);
        if (head != expected) throw SealException.Differs(path, $"its chain ends in {head}, not in {expected}");
        return new SealedLog(name, stage.Steps, scan.End, scan.PayloadBytes, head, interval, marks);
    }
}

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
        var entries = new List<SealEntry> { SealEntries.OfStart(manifest, State("initial")) };
        foreach (var (index, stage) in manifest.Stages.Index())
        {
            var folder = $"stages/{index + 1:00}-{stage.Name}";
            var interval = SealedLog.IntervalOf(stage.Steps);
            string[] marks = [.. Enumerable.Repeat(s_hash, stage.Steps / interval)];
            var path = $"{folder}/trajectory.log";
            var log = new SealedLog(path, stage.Steps, logs[index], (int)gradientBytes, s_hash, interval, marks);
            entries.Add(SealEntries.OfStage(manifest, index, State($"{folder}/state"), log, entries[^1]));
        }

        entries.Add(SealEntries.OfRun(manifest, entries[^1]));
        return SealFile.BytesOf(SealEntries.Join(manifest.RunId, entries)).Length;

        SealedFile[] State(string folder) =>
            [.. stateFiles.Select(file => new SealedFile($"{folder}/{file.Name}", file.SizeBytes, s_hash))];
    }
}
