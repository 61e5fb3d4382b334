using System.Diagnostics;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Estimates;

/// <summary>A test that needs a file system of its own size; skipped, saying so, where none may be mounted.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SmallFileSystemFactAttribute : FactAttribute
{
    private static readonly Lazy<bool> s_mayMount = new(() =>
    {
        using var folder = new TemporaryFolder();
        if (!Mount(folder.Path, "64k")) return false;
        Unmount(folder.Path);
        return true;
    });

    public SmallFileSystemFactAttribute()
    {
        if (!s_mayMount.Value) Skip = "no small file system can be mounted here (mount -t tmpfs, as root)";
    }

    public static bool Mount(string folder, string size) => Does("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", folder);

    public static void Unmount(string folder) => Does("umount", folder);

    private static bool Does(string program, params string[] args)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(program, args) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
