using System.Text.Json;

namespace LlmStageAudit.Checkpoints.Tests.Safetensors;

/// <summary>Reference models and adapters that another implementation computed.</summary>
internal static class SharedFiles
{
    public static string Goldens { get; } = Path.Combine(RepositoryRoot(), "..", "shared", "goldens");

    public static string Golden(params string[] parts) => Path.Combine([Goldens, .. parts]);

    public static JsonElement Json(params string[] parts)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Golden(parts)));
        return document.RootElement.Clone();
    }

    private static string RepositoryRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "LlmStageAudit.slnx"))) return folder.FullName;
        }

        throw new DirectoryNotFoundException("The tests run outside the repository.");
    }
}
