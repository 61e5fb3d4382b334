using System.Runtime.InteropServices;

namespace LlmStageAudit.Cli.Terminal;

/// <summary>Libraries of the system that an archive of this program brings along, for systems without them.</summary>
internal static class BroughtLibraries
{
    /// <summary>Of OpenSSL, which .NET computes hashes with and opens by these names; the second needs the first.</summary>
    private static readonly string[] s_openSsl = ["libcrypto.so.3", "libssl.so.3"];

    /// <summary>Loads those the system has not: its own is kept up to date and comes first.</summary>
    public static void Load()
    {
        foreach (var name in s_openSsl)
        {
            var brought = Path.Combine(AppContext.BaseDirectory, name);
            if (File.Exists(brought) && !NativeLibrary.TryLoad(name, out _)) NativeLibrary.TryLoad(brought, out _);
        }
    }
}
