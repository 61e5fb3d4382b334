using System.Diagnostics;
using System.Globalization;
using LlmStageAudit.Foundation.Randomness;

namespace LlmStageAudit.EndToEnd.Tests.Crashes;

/// <summary>What a disk holds, after a loss of power, of what was written and not flushed.</summary>
internal enum Unflushed
{
    /// <summary>Nothing: files are as long as at their last flush.</summary>
    Lost,

    /// <summary>The lengths, with zeros in place of content.</summary>
    Zeros,

    /// <summary>The lengths, with anything in place of content.</summary>
    Garbage,
}

/// <summary>
/// Makes a folder what a disk would hold after a loss of power, at its worst: files with their content at their last flush and folders with
/// their entries at theirs, from what the fault library kept.
/// </summary>
internal static class DiskImage
{
    public static void Restore(string folder, string shadow, Unflushed unflushed, StableRandom random)
    {
        var image = folder + ".image";
        var lengths = unflushed == Unflushed.Lost ? [] : LengthsByInode(folder);
        Rebuild(image, File.ReadAllText(Path.Combine(shadow, "root")));
        Directory.Delete(folder, recursive: true);
        Directory.Move(image, folder);

        void Rebuild(string target, string inode)
        {
            Directory.CreateDirectory(target);
            var listing = Path.Combine(shadow, $"folder-{inode}");
            if (!File.Exists(listing)) return;
            foreach (var line in File.ReadLines(listing))
            {
                var parts = line.Split(' ', 3);
                var path = Path.Combine(target, parts[2]);
                if (parts[1] == "d") Rebuild(path, parts[0]);
                else File.WriteAllBytes(path, ContentOf(parts[0]));
            }
        }

        byte[] ContentOf(string inode)
        {
            var kept = Path.Combine(shadow, $"file-{inode}");
            var flushed = File.Exists(kept) ? File.ReadAllBytes(kept) : [];
            if (!lengths.TryGetValue(inode, out var length) || length <= flushed.Length) return flushed;
            var rest = new byte[length - flushed.Length];
            if (unflushed == Unflushed.Garbage)
            {
                for (var i = 0; i < rest.Length; i++) rest[i] = (byte)random.Next(256);
            }

            return [.. flushed, .. rest];
        }
    }

    private static Dictionary<string, long> LengthsByInode(string folder)
    {
        using var find = Process.Start(
            new ProcessStartInfo("find", [folder, "-type", "f", "-printf", "%i %s\n"]) { RedirectStandardOutput = true })!;
        var lines = find.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        find.WaitForExit();
        return lines
            .Select(line => line.Split(' '))
            .ToDictionary(parts => parts[0], parts => long.Parse(parts[1], CultureInfo.InvariantCulture));
    }
}
