using System.Text.Json;

namespace LlmStageAudit.EndToEnd.Tests.Crashes;

/// <summary>The files of stages that a manifest says are completed, with when each was last written: nobody may write them again.</summary>
internal static class CompletedStages
{
    public static Dictionary<string, DateTime> In(string folder)
    {
        var files = new Dictionary<string, DateTime>(StringComparer.Ordinal);
        if (!Directory.Exists(folder)) return files;
        foreach (var manifest in Directory.EnumerateFiles(folder, "manifest.json", SearchOption.AllDirectories))
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(manifest));
            foreach (var stage in document.RootElement.GetProperty("stages").EnumerateArray())
            {
                if (stage.GetProperty("state").GetString() != "completed") continue;
                var name = $"{stage.GetProperty("index").GetInt32() + 1:00}-{stage.GetProperty("name").GetString()}";
                var place = Path.Combine(Path.GetDirectoryName(manifest)!, "stages", name);
                foreach (var file in Directory.EnumerateFiles(place, "*", SearchOption.AllDirectories))
                    files[file] = File.GetLastWriteTimeUtc(file);
            }
        }

        return files;
    }

    public static int Touched(Dictionary<string, DateTime> before) =>
        before.Count(file => !File.Exists(file.Key) || File.GetLastWriteTimeUtc(file.Key) != file.Value);
}
