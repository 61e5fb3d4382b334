using System.Diagnostics;

namespace LlmStageAudit.Cli.Tests.Tampering;

/// <summary>A test that needs ssh-keygen; skipped, saying so, where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SshFactAttribute : FactAttribute
{
    public SshFactAttribute()
    {
        if (!SshKeys.IsThere) Skip = "no ssh-keygen on the PATH";
    }
}

/// <summary>Keys made for a test.</summary>
internal static class SshKeys
{
    public static bool IsThere { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, "ssh-keygen")));

    /// <returns>The private key's path; its .pub lies beside it.</returns>
    public static string Make(string path, string type = "ed25519", string passphrase = "")
    {
        string[] size = type == "rsa" ? ["-b", "2048"] : [];
        Assert.Equal(0, Run("ssh-keygen", ["-q", "-t", type, .. size, "-N", passphrase, "-C", "test", "-f", path]).ExitCode);
        return path;
    }

    /// <summary>Runs a program with a file as its standard input, without a shell.</summary>
    public static (int ExitCode, string Output, string Error) Run(string program, string[] arguments, string? input = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (input is not null) process.StandardInput.BaseStream.Write(File.ReadAllBytes(input));
        process.StandardInput.Close();
        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(60)), $"{program} did not end");
        return (process.ExitCode, output.Result, error.Result);
    }
}
