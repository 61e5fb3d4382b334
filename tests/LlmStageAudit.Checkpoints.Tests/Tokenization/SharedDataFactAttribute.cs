using FsCheck.Xunit;

namespace LlmStageAudit.Checkpoints.Tests.Tokenization;

/// <summary>A test that reads data kept beside the repository; skipped with a reason where the file is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedDataFactAttribute : FactAttribute
{
    public SharedDataFactAttribute(params string[] files) => Skip = SharedData.Absence(files);
}

/// <summary>As <see cref="SharedDataFactAttribute"/>, for theories.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedDataTheoryAttribute : TheoryAttribute
{
    public SharedDataTheoryAttribute(params string[] files) => Skip = SharedData.Absence(files);
}

/// <summary>A property over texts that reads data kept beside the repository; skipped with a reason where the file is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedDataPropertyAttribute : PropertyAttribute
{
    public SharedDataPropertyAttribute(params string[] files)
    {
        Skip = SharedData.Absence(files);
        (Arbitrary, MaxTest, Replay) = ([typeof(UnicodeText)], 300, "20261128,297405283");
    }
}

/// <summary>The folder 'shared' beside the repository root.</summary>
internal static class SharedData
{
    private static readonly string Root = Find();

    /// <summary>Why a test that reads the files is skipped, or null.</summary>
    public static string? Absence(params string[] files) =>
        files.FirstOrDefault(file => !File.Exists(PathOf(file))) is { } missing ? $"no shared/{missing} beside the repository" : null;

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
