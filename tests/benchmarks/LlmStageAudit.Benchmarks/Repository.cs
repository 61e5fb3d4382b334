namespace LlmStageAudit.Benchmarks;

/// <summary>Places around the repository this program was built in.</summary>
internal static class Repository
{
    private static readonly string Root = FindRoot();

    public static string Results => Path.Combine(Root, "tests", "benchmarks", "results");

    /// <summary>The built command.</summary>
    /// <exception cref="AbsenceException">It was not built in Release.</exception>
    public static string Command
    {
        get
        {
            var path = Path.Combine(Root, "artifacts", "bin", "LlmStageAudit.Cli", "release", "stageaudit.dll");
            return File.Exists(path) ? path : throw AbsenceException.Of("src/LlmStageAudit.Cli is not built in Release");
        }
    }

    /// <exception cref="AbsenceException">No such file under the folder shared beside the repository.</exception>
    public static string Shared(string file)
    {
        var path = Path.GetFullPath(Path.Combine(Root, "..", "shared", file));
        return File.Exists(path) ? path : throw AbsenceException.Of($"no shared/{file} beside the repository");
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "LlmStageAudit.slnx"))) return folder.FullName;
        }

        throw AbsenceException.Of("no repository around this program");
    }
}
