using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Foundation.Boundaries;

/// <summary>
/// The folder that everything a configuration, probe, plan or manifest names must lie in, for a user who does not trust these files.
/// Like the user a process runs as it holds for all that follows in the flow of control, so that no reader can forget to pass it on.
/// What the user names is not confined: that is the user's own word.
/// </summary>
public static class Confinement
{
    private static readonly AsyncLocal<string?> s_folder = new();

    /// <summary>The folder, absolute; null where nothing is confined.</summary>
    public static string? Folder => s_folder.Value;

    /// <summary>Confines until the result is disposed.</summary>
    /// <param name="folder">An existing folder; null lifts the confinement.</param>
    /// <exception cref="ConfigurationException">No such folder.</exception>
    public static IDisposable To(string? folder)
    {
        if (folder is not null && !Directory.Exists(folder))
        {
            throw ConfigurationException.At(Setting.Confinement, $"no folder {Shown.Quoted(folder)}", "an existing folder");
        }

        var before = s_folder.Value;
        s_folder.Value = folder is null ? null : Path.GetFullPath(folder);
        return new Lifting(before);
    }

    /// <summary>
    /// What is wrong with a path, for an error that names the key: null where it leads into the folder, or nothing is confined.
    /// </summary>
    /// <param name="path">Absolute, or relative to the working folder.</param>
    public static string? Fault(string path)
    {
        if (Folder is not { } folder) return null;
        try
        {
            return RealPath.IsWithin(path, folder) ? null : $"{Shown.Quoted(path)} leads out of the folder this command is confined to";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return $"{Shown.Quoted(path)} cannot be followed ({exception.Message})";
        }
    }

    /// <summary>Refuses a path that leads out of the folder.</summary>
    /// <param name="where">The file and the key that name the path.</param>
    /// <param name="path">As for <see cref="Fault"/>; null is always within.</param>
    /// <exception cref="ConfigurationException">The path leads out.</exception>
    public static void Check(string where, string? path)
    {
        if (path is not null && Fault(path) is { } found) throw ConfigurationException.At(where, found, Expected, Remedy);
    }

    /// <summary>
    /// What is wrong with a file that lies in the confinement and is a link out of it; null for any other. So the files of a model's folder
    /// are followed too, though nothing names them; what the user names outside stays open.
    /// </summary>
    internal static string? Leak(string path) =>
        Folder is not null && Path.GetDirectoryName(Path.GetFullPath(path)) is { } parent && Fault(parent) is null ? Fault(path) : null;

    /// <summary>What a message expects in place of a path that leads out; only while something is confined.</summary>
    public static string Expected => $"a path within {Folder}";

    /// <summary>What a message tells the user to do about a path that leads out.</summary>
    public static string Remedy => "copy the file there, or confine to a folder that holds both";

    private sealed class Lifting(string? before) : IDisposable
    {
        public void Dispose() => s_folder.Value = before;
    }
}
