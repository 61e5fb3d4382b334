using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace LlmStageAudit.Seals.Signing;

/// <summary>
/// The platform's ssh-keygen, started with a list of arguments and without a shell. Private keys are read by it alone. It asks for a
/// passphrase at a terminal and, where there is none, fails: it never opens a window.
/// Every call throws a <see cref="SealException"/> where there is no ssh-keygen.
/// </summary>
internal static class SshKeygen
{
    /// <summary>What signatures of seals are made for, so that none made for another purpose passes for one.</summary>
    public const string Namespace = "stageaudit";

    private const string Program = "ssh-keygen";

    /// <summary>Signs content with a key.</summary>
    /// <returns>The armoured signature.</returns>
    public static string Sign(string key, byte[] content)
    {
        var (code, output, error) = Run(["-Y", "sign", "-f", Path.GetFullPath(key), "-n", Namespace], content);
        return code == 0 && output.Length > 0 ? output : throw SealException.Refused(key, Said(output, error));
    }

    /// <summary>Null where a signature fits content, whoever made it; else what ssh-keygen said.</summary>
    public static string? Check(string signature, byte[] content) =>
        Fault(Run(["-Y", "check-novalidate", "-n", Namespace, "-s", signature], content));

    /// <summary>The same, where the signature must also be by a key of an identity in the signers' file.</summary>
    public static string? Verify(string signature, byte[] content, string signers, string identity) =>
        Fault(Run(["-Y", "verify", "-f", Path.GetFullPath(signers), "-I", identity, "-n", Namespace, "-s", signature], content));

    /// <summary>The first identity of the signers' file that the signature's key belongs to; null where there is none.</summary>
    public static string? FindIdentity(string signature, string signers)
    {
        var (code, output, _) = Run(["-Y", "find-principals", "-s", signature, "-f", Path.GetFullPath(signers)], []);
        return code == 0
            ? output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault()
            : null;
    }

    private static string? Fault((int Code, string Output, string Error) ended) => ended.Code == 0 ? null : Said(ended.Output, ended.Error);

    private static (int Code, string Output, string Error) Run(IEnumerable<string> arguments, byte[] input)
    {
        var start = new ProcessStartInfo(Program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        start.Environment["SSH_ASKPASS_REQUIRE"] = "never";
        start.Environment["LC_ALL"] = "C";
        try
        {
            using var process = Process.Start(start)!;
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            Feed(process, input);
            process.WaitForExit();
            return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
        }
        catch (Win32Exception exception)
        {
            throw SealException.NoProgram(Program, exception);
        }
    }

    private static void Feed(Process process, byte[] input)
    {
        try
        {
            process.StandardInput.BaseStream.Write(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading; its exit code says why.
        }
    }

    // Its last words name the fault; the rest is decoration.
    private static string Said(string output, string error)
    {
        var lines = error.Split('\n').Concat(output.Split('\n')).Select(line => line.Trim())
            .Where(line => line.Length > 0 && !line.StartsWith("Signing ", StringComparison.Ordinal) && line.Any(char.IsLetter)).Distinct();
        var text = string.Join("; ", lines);
        return text.Length == 0 ? "it did not say why" : text.Length <= 300 ? text : string.Concat(text.AsSpan(0, 300), "...");
    }
}
