using Xunit;

namespace LlmStageAudit.Testing;

/// <summary>The reference data beside the repository: a folder `shared` next to its root. Not part of the repository.</summary>
public static class SharedData
{
    public static string RepositoryRoot { get; } = FindRoot();

    public static string Root { get; } = Path.GetFullPath(Path.Combine(RepositoryRoot, "..", "shared"));

    public static string At(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "LlmStageAudit.slnx"))) folder = folder.Parent;
        return folder?.FullName ?? AppContext.BaseDirectory;
    }
}

/// <summary>A test that needs reference data beside the repository; skipped, saying so, where it is absent.</summary>
public sealed class SharedFactAttribute : FactAttribute
{
    public SharedFactAttribute(string needs)
    {
        if (!Path.Exists(SharedData.At(needs))) Skip = $"no shared/{needs} beside the repository";
    }
}

/// <summary>As <see cref="SharedFactAttribute"/>, for theories.</summary>
public sealed class SharedTheoryAttribute : TheoryAttribute
{
    public SharedTheoryAttribute(string needs)
    {
        if (!Path.Exists(SharedData.At(needs))) Skip = $"no shared/{needs} beside the repository";
    }
}
