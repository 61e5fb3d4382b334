using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace LlmStageAudit.Checkpoints.Tests.Tokenization.Reference;

/// <summary>What the reference makes of one text.</summary>
/// <param name="Ids">Ids without the file's template.</param>
/// <param name="Special">Ids with the template's special tokens.</param>
/// <param name="Decoded">The text of <paramref name="Ids"/>, special tokens kept.</param>
internal sealed record ReferenceAnswer(int[] Ids, int[] Special, string Decoded);

/// <summary>
/// Hugging Face's tokenizers, run by Node: installed once a process from the lock file into a temporary folder, which goes with
/// the process.
/// </summary>
internal static class ReferenceTokenizers
{
    private static readonly string[] Sources = ["package.json", "package-lock.json", "encode.mjs"];
    private static readonly TimeSpan InstallLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan EncodeLimit = TimeSpan.FromSeconds(120);
    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web);
    private static readonly Lazy<(string? Folder, string? Absence)> Installation = new(Install);

    /// <summary>Why they cannot run here; null where they can.</summary>
    public static string? Absence => Installation.Value.Absence;

    /// <summary>One answer a text, in the texts' order.</summary>
    public static List<ReferenceAnswer> Encode(string tokenizerPath, IReadOnlyList<string> texts)
    {
        using var node = Start("node", Installation.Value.Folder!, "encode.mjs", Path.GetFullPath(tokenizerPath));
        using var deadline = new CancellationTokenSource(EncodeLimit);
        using var stop = deadline.Token.Register(() => node.Kill(entireProcessTree: true));
        var errors = node.StandardError.ReadToEndAsync(CancellationToken.None);

        // The default encoder escapes everything but ASCII, so that no character of a text can end a line.
        var feeding = Task.Run(() =>
        {
            using var input = node.StandardInput;
            foreach (var text in texts) input.WriteLine(JsonSerializer.Serialize(text));
        });
        var answers = new List<ReferenceAnswer>(texts.Count);
        while (node.StandardOutput.ReadLine() is { } line) answers.Add(JsonSerializer.Deserialize<ReferenceAnswer>(line, Web)!);
        node.WaitForExit();
        if (node.ExitCode != 0 || answers.Count != texts.Count)
        {
            var message = $"node: exit code {node.ExitCode} after {answers.Count} of {texts.Count} texts; {errors.Result}";
            throw new InvalidOperationException(message);
        }

        feeding.Wait(CancellationToken.None);
        return answers;
    }

    private static (string? Folder, string? Absence) Install()
    {
        var folder = Directory.CreateTempSubdirectory("stageaudit-reference-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        var origin = Path.Combine(AppContext.BaseDirectory, "Tokenization", "Reference");
        foreach (var name in Sources) File.Copy(Path.Combine(origin, name), Path.Combine(folder, name));
        try
        {
            using var npm = Start("npm", folder, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1");
            npm.StandardInput.Close();
            var output = Task.WhenAll(npm.StandardOutput.ReadToEndAsync(), npm.StandardError.ReadToEndAsync());
            if (!npm.WaitForExit(InstallLimit))
            {
                npm.Kill(entireProcessTree: true);
                return (null, $"npm ci did not end within {InstallLimit.TotalSeconds} s");
            }

            if (npm.ExitCode != 0) return (null, $"npm ci failed: {LastLine(string.Concat(output.Result))}");
            using var node = Start("node", folder, "--version");
            node.WaitForExit();
            return (folder, null);
        }
        catch (Win32Exception fault)
        {
            return (null, $"no node and npm on the PATH: {fault.Message}");
        }
    }

    private static string LastLine(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "no output";

    private static Process Start(string program, string folder, params string[] arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            StandardOutputEncoding = Encoding.UTF8,
        })!;
}
