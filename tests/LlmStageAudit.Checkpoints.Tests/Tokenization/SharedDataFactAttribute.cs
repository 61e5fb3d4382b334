namespace LlmStageAudit.Checkpoints.Tests.Tokenization;

/// <summary>A test that reads data kept beside the repository; skipped with a reason where the file is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedDataFactAttribute : FactAttribute
{
    public SharedDataFactAttribute(params string[] files)
    {
        var missing = files.FirstOrDefault(file => !File.Exists(SharedData.PathOf(file)));
        if (missing is not null) Skip = $"no shared/{missing} beside the repository";
    }
}

/// <summary>The folder 'shared' beside the repository root.</summary>
internal static class SharedData
{
    private static readonly string Root = Find();

    public static string PathOf(string file) => Path.Combine(Root, file);

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "LlmStageAudit.slnx"))) return Path.Combine(folder.FullName, "..", "shared");
        }

        return "shared";
    }
}
