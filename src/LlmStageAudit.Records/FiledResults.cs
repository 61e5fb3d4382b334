using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records;

/// <summary>Finds results filed in a run folder.</summary>
public static class FiledResults
{
    /// <summary>Path of the ranking written last; null where there is none.</summary>
    public static string? NewestRanking(RunFolder folder) => Files(folder.RankingsFolder).FirstOrDefault();

    /// <summary>The newest effects of whole stages.</summary>
    public static string? NewestEffects(RunFolder folder) =>
        Files(folder.EffectsFolder)
            .FirstOrDefault(path => ArtifactJson.Read<EffectsArtifact>(path) is { Level: "stage", Treatment: "stage" });

    /// <summary>Newest first.</summary>
    public static IEnumerable<string> Files(string folder) => Directory.Exists(folder)
        ? Directory.EnumerateFiles(folder, "*.json")
            .OrderByDescending(File.GetLastWriteTimeUtc)
            .ThenBy(path => path, StringComparer.Ordinal)
        : [];
}
