using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records.Verifications;

namespace LlmStageAudit.Records;

/// <summary>Finds results filed in a run folder.</summary>
public static class FiledResults
{
    /// <summary>Path of the ranking written last; null where there is none.</summary>
    public static string? NewestRanking(RunFolder folder) => Files(folder.RankingsFolder).FirstOrDefault();

    /// <summary>The newest effects of whole stages.</summary>
    public static string? NewestEffects(RunFolder folder) =>
        Files(folder.EffectsFolder)
            .FirstOrDefault(path => ArtifactJson.Read<EffectsArtifact>(path).Treatment is Treatment.Stage);

    /// <summary>The effects of that identity written last, and their path; null where there are none.</summary>
    public static (EffectsArtifact Effects, string Path)? Find(RunFolder folder, ResultIdentity identity)
    {
        foreach (var path in Files(folder.EffectsFolder))
        {
            try
            {
                if (ArtifactJson.Read<EffectsArtifact>(path) is var effects && effects.Identity == identity) return (effects, path);
            }
            catch (ArtifactException)
            {
                // A file that says nothing is not the one that is looked for.
            }
        }

        return null;
    }

    /// <summary>All verifications, newest first; those that do not say what they verified, by the file they name.</summary>
    /// <exception cref="ArtifactException">A file that cannot be read.</exception>
    public static IEnumerable<VerificationArtifact> Verifications(RunFolder folder) =>
        Files(folder.VerificationsFolder).Select(ArtifactJson.Read<VerificationArtifact>).Select(found =>
            found.Predictions is null && File.Exists(found.EffectsPath)
                ? found with { Predictions = ArtifactJson.Read<EffectsArtifact>(found.EffectsPath).Identity }
                : found);

    /// <summary>Newest first.</summary>
    public static IEnumerable<string> Files(string folder) => Directory.Exists(folder)
        ? Directory.EnumerateFiles(folder, "*.json")
            .OrderByDescending(File.GetLastWriteTimeUtc)
            .ThenBy(path => path, StringComparer.Ordinal)
        : [];
}
