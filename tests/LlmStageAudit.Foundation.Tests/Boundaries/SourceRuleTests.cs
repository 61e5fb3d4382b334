using System.Text.RegularExpressions;

namespace LlmStageAudit.Foundation.Tests.Boundaries;

/// <summary>Rules of the whole source that keep hostile input out of places where it would act.</summary>
public sealed partial class SourceRuleTests
{
    /// <summary>
    /// The files that may open others by themselves: the one way to read, what goes on writing its own files, what reads /proc.
    /// </summary>
    private static readonly string[] Openers =
    [
        "ForeignFile.cs", "TrajectoryWriter.cs", "FileLock.cs", "AtomicFile.cs", "AtomicFolder.cs",
        "ProgressDisplay.cs", "ProcessMemory.cs", "MachineLimits.cs", "RunEngine.cs",
    ];

    [Fact]
    public void Programs_are_started_with_lists_of_arguments_and_without_a_shell()
    {
        foreach (var (name, text) in Sources())
        {
            Assert.False(ShellExecution().IsMatch(text), $"{name}: UseShellExecute is not to be true");
            Assert.False(
                text.Contains("ProcessStartInfo") && ArgumentText().IsMatch(text),
                $"{name}: give ArgumentList, not one text of arguments");
            Assert.False(Shell().IsMatch(text), $"{name}: starts a shell");
            Assert.False(DirectStart().IsMatch(text), $"{name}: start a ProcessStartInfo with an ArgumentList");
        }
    }

    [Fact]
    public void Nothing_is_deserialized_into_whatever_type_the_input_names()
    {
        foreach (var (name, text) in Sources()) Assert.False(OpenTypes().IsMatch(text), $"{name}: {OpenTypes().Match(text).Value}");
    }

    [Fact]
    public void Foreign_files_are_opened_in_one_place()
    {
        foreach (var (name, text) in Sources().Where(source => !Openers.Contains(Path.GetFileName(source.Name))))
        {
            Assert.False(
                Opening().IsMatch(text),
                $"{name}: '{Opening().Match(text).Value}' would wait for ever at a pipe; use ForeignFile");
        }
    }

    private static IEnumerable<(string Name, string Text)> Sources()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "LlmStageAudit.slnx"))) root = root.Parent;
        Assert.NotNull(root);
        var files = Directory.EnumerateFiles(Path.Combine(root.FullName, "src"), "*.cs", SearchOption.AllDirectories).ToArray();
        Assert.True(files.Length > 300);
        return files.Select(file => (Path.GetRelativePath(root.FullName, file), File.ReadAllText(file)));
    }

    [GeneratedRegex(@"UseShellExecute\s*=\s*true")]
    private static partial Regex ShellExecution();

    [GeneratedRegex(@"ProcessStartInfo\s*\([^()]*,\s*[$@""]|\bArguments\s*=[^=]")]
    private static partial Regex ArgumentText();

    [GeneratedRegex("\"(/bin/|/usr/bin/)?(sh|bash|zsh|dash|cmd(\\.exe)?|powershell|pwsh)\"")]
    private static partial Regex Shell();

    [GeneratedRegex(@"Process\.Start\s*\(\s*""|Process\.Start\s*\([^()]*,")]
    private static partial Regex DirectStart();

    [GeneratedRegex(
        @"BinaryFormatter|TypeNameHandling|NetDataContractSerializer|SoapFormatter|LosFormatter|DeserializerBuilder|XmlSerializer"
        + @"|Assembly\.Load|Activator\.CreateInstance")]
    private static partial Regex OpenTypes();

    [GeneratedRegex(@"(?<![A-Za-z_])File\.(ReadAll|ReadLines|OpenRead|OpenText|Open)\w*\(|FileMode\.Open\b|new StreamReader\(")]
    private static partial Regex Opening();
}
