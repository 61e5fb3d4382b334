using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records.Verifications;

namespace LlmStageAudit.Records;

/// <summary>Finds results filed in a run folder.</summary>
public static class FiledResults
{
    /// <summary>The effects of that identity written last, and their path; null where there are none.</summary>
    /// <param name="folder">Where to look.</param>
    /// <param name="identity">What is looked for.</param>
    /// <param name="byAnyTool">Whether another version of the program may have computed them.</param>
    public static (EffectsArtifact Effects, string Path)? Find(RunFolder folder, ResultIdentity identity, bool byAnyTool = false)
    {
        foreach (var path in Files(folder.EffectsFolder))
        {
            try
            {
                var effects = ArtifactJson.Read<EffectsArtifact>(path);
                if (byAnyTool ? effects.Identity.IsTheSame(identity) : effects.Identity == identity) return (effects, path);
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
