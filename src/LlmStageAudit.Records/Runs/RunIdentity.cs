using System.Text.Json;
using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Runs;

/// <summary>
/// The id of a run, made of what decides its bits, so that the same run on the same machine has the same id and, since logs begin
/// with it, the same log to the byte:
/// <code>
/// id = first 32 hexadecimal digits of SHA-256(one line of JSON: configuration, inputs, parameters, start, engine)
/// </code>
/// Places do not count, contents do: a path of the configuration stands as the SHA-256 of the files there, an input as role, SHA-256 and
/// size, the start as the id of the run departed from. Times do not count either. Probes are read later; they count neither.
/// </summary>
public static class RunIdentity
{
    private const int Digits = 32;

    /// <summary>The id that a run has, made of its manifest's facts.</summary>
    /// <param name="manifest">Its own id, times and stages are not looked at.</param>
    public static string Of(RunManifest manifest)
    {
        var inputs = manifest.Inputs.Where(input => input.Role != InputRole.Probe).ToArray();
        var facts = new
        {
            Configuration = WithContents(manifest.Configuration, inputs),
            Inputs = inputs.Select(input => new { input.Role, input.Sha256, input.SizeBytes }),
            manifest.ParameterCount,
            manifest.Parameters,
            Start = manifest.Start with { RunPath = null },
            manifest.Engine,
        };
        return ContentHash.OfBytes(JsonSerializer.SerializeToUtf8Bytes(facts, ArtifactJson.CompactOptions))[..Digits];
    }

    private static RunConfiguration WithContents(RunConfiguration configuration, InputRecord[] inputs) => configuration with
    {
        Model = configuration.Model with { Path = ContentAt(configuration.Model.Path, inputs) },
        Adapter = configuration.Adapter is { } adapter
            ? adapter with
            {
                Recipe = adapter.Recipe is { } recipe ? ContentAt(recipe, inputs) : null,
                InitFrom = adapter.InitFrom is { } folder ? ContentAt(folder, inputs) : null,
            }
            : null,
        Stages =
        [
            .. configuration.Stages.Select(stage =>
                stage with { Dataset = stage.Dataset with { Path = ContentAt(stage.Dataset.Path, inputs) } }),
        ],
        Probes = [],
    };

    // The names within a folder, since weights under another name are another model.
    private static string ContentAt(string path, InputRecord[] inputs)
    {
        var within = Path.TrimEndingDirectorySeparator(path) + Path.DirectorySeparatorChar;
        return string.Join(' ', inputs
            .Where(input => input.Path == path || input.Path.StartsWith(within, StringComparison.Ordinal))
            .Select(input => input.Path == path ? input.Sha256 : $"{input.Path[within.Length..]}:{input.Sha256}")
            .Order(StringComparer.Ordinal));
    }
}
