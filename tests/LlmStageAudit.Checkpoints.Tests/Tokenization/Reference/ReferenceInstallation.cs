using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace LlmStageAudit.Checkpoints.Tests.Tokenization.Reference;

/// <summary>
/// Hugging Face's tokenizers for Node, installed once a process from the lock file into a temporary folder, which goes with the
/// process.
/// </summary>
internal static partial class ReferenceInstallation
{
    private static readonly TimeSpan InstallLimit = TimeSpan.FromSeconds(60);
    private static readonly Lazy<(string? Folder, string? Absence)> Installed = new(Install);

    /// <summary>Why it cannot be had here (no Node, no registry to install from); null where it can.</summary>
    public static string? Absence => Installed.Value.Absence;

    /// <summary>Starts one of the scripts that lie beside the lock file.</summary>
    public static Process Run(string script, params string[] arguments) => Start("node", Installed.Value.Folder!, [script, .. arguments]);

    private static (string? Folder, string? Absence) Install()
    {
        var folder = Directory.CreateTempSubdirectory("stageaudit-reference-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        foreach (var source in Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Tokenization", "Reference")))
        {
            File.Copy(source, Path.Combine(folder, Path.GetFileName(source)));
        }

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

            // Only a registry out of reach is a reason to do without: a package that does not match the lock file is not.
            var text = string.Concat(output.Result);
            if (npm.ExitCode != 0 && NetworkFault().Match(text) is { Success: true } fault)
            {
                return (null, $"npm ci found no registry to install from: {fault.Value}");
            }

            if (npm.ExitCode != 0) throw new InvalidOperationException($"npm ci failed: {text}");
            using var node = Start("node", folder, "--version");
            node.WaitForExit();
            return (folder, null);
        }
        catch (Win32Exception fault)
        {
            return (null, $"no node and npm on the PATH: {fault.Message}");
        }
    }

    private static Process Start(string program, string folder, params string[] arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            StandardOutputEncoding = Encoding.UTF8,

            // One thread: as much as ours takes.
            Environment = { ["RAYON_RS_NUM_CPUS"] = "1", ["TOKENIZERS_PARALLELISM"] = "false", ["UV_THREADPOOL_SIZE"] = "1" },
        })!;

    [GeneratedRegex("ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED")]
    private static partial Regex NetworkFault();
}
