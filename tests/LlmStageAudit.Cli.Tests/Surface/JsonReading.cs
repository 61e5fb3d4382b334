using System.Text.Json;

namespace LlmStageAudit.Cli.Tests.Surface;

/// <summary>Short ways through a JSON answer; a field that is absent or of another type fails the test.</summary>
internal static class JsonReading
{
    public static string Text(this JsonElement element, string name) => element.GetProperty(name).GetString()!;

    public static double Number(this JsonElement element, string name) => element.GetProperty(name).GetDouble();

    public static int Count(this JsonElement element, string name) => element.GetProperty(name).GetInt32();

    public static JsonElement[] List(this JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray()];

    public static double[] Numbers(this IEnumerable<JsonElement> elements, string name) =>
        [.. elements.Select(element => element.Number(name))];

    public static string[] Texts(this IEnumerable<JsonElement> elements, string name) =>
        [.. elements.Select(element => element.Text(name))];

    /// <summary>A whole file.</summary>
    public static JsonElement ReadFile(string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.Clone();
    }
}
