using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Seals;

/// <summary>The manifest in parts small enough to name: its fields, those of its objects, and the items of its lists.</summary>
internal static class ManifestSections
{
    // Many items, none of which anyone would look for by its number.
    private const string Parameters = "parameters";

    private static readonly string[] s_fixed =
        ["schemaVersion", "kind", "runId", "toolVersion", "engine", "configuration", "inputs", "parameterCount", Parameters, "start"];

    /// <summary>
    /// A manifest as the sections are taken from: its JSON, so that a later version's new fields do not count as changes.
    /// </summary>
    public static JsonElement Json(RunManifest manifest) => JsonSerializer.SerializeToElement(manifest, ArtifactJson.CompactOptions);

    /// <summary>A manifest file as the sections are taken from.</summary>
    /// <exception cref="JsonException">The file is no JSON.</exception>
    public static JsonElement Json(string path) =>
        JsonSerializer.Deserialize<JsonElement>(ForeignFile.ReadText(path, ArtifactJson.MaximumSizeBytes), ArtifactJson.CompactOptions);

    /// <summary>What training does not change, from the manifest's creation on.</summary>
    public static IReadOnlyList<SealedSection> OfStart(JsonElement manifest) =>
        [.. All(manifest).Where(section => s_fixed.Contains(section.Field.Split('.', '[')[0]))];

    /// <summary>A completed stage's result, its times left out.</summary>
    public static IReadOnlyList<SealedSection> OfStage(JsonElement manifest, int index)
    {
        var stage = JsonObject.Create(manifest.GetProperty("stages")[index])!;
        stage.Remove("trainSeconds");
        stage.Remove("logSeconds");
        return [new SealedSection(Item("stages", index), SealFile.DigestOf(stage))];
    }

    public static IReadOnlyList<SealedSection> All(JsonElement manifest)
    {
        var sections = new List<SealedSection>();
        foreach (var property in manifest.EnumerateObject())
        {
            var (name, value) = (property.Name, property.Value);
            if (name == Parameters) Add(name, value);
            else if (value.ValueKind == JsonValueKind.Array)
                foreach (var (index, item) in value.EnumerateArray().Index()) Add(Item(name, index), item);
            else if (value.ValueKind == JsonValueKind.Object)
                foreach (var inner in value.EnumerateObject()) Add($"{name}.{inner.Name}", inner.Value);
            else Add(name, value);
        }

        return sections;

        void Add(string field, JsonElement value) => sections.Add(new SealedSection(field, SealFile.DigestOf(value)));
    }

    public static string InputField(int index) => Item("inputs", index);

    /// <summary>Fields that are on one side only or differ, in the order of the sealed ones.</summary>
    public static IReadOnlyList<string> Difference(IReadOnlyList<SealedSection> expected, IReadOnlyList<SealedSection> found)
    {
        var known = found.DistinctBy(section => section.Field).ToDictionary(section => section.Field, section => section.Sha256);
        var changed = expected.Where(section => known.GetValueOrDefault(section.Field) != section.Sha256).Select(section => section.Field);
        return [.. changed.Concat(known.Keys.Except(expected.Select(section => section.Field)))];
    }

    private static string Item(string list, int index) => string.Create(CultureInfo.InvariantCulture, $"{list}[{index}]");
}
