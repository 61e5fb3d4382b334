namespace LlmStageAudit.Artifacts.Tests;

/// <summary>Seeded damage to a file: bytes changed, cut out, doubled, moved, or the end lost.</summary>
internal static class Mutation
{
    private static readonly byte[] Syntax = "{}[]:,-\n &*!|>'\"\0"u8.ToArray();

    public static byte[] Of(byte[] original, Random random)
    {
        var bytes = original.ToList();
        for (var n = random.Next(1, 4); n > 0 && bytes.Count > 0; n--)
        {
            var at = random.Next(bytes.Count);
            var count = Math.Min(random.Next(1, 24), bytes.Count - at);
            switch (random.Next(6))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: bytes.RemoveRange(at, count); break;
                case 3: bytes.InsertRange(at, bytes.GetRange(at, count)); break;
                case 4: bytes.RemoveRange(at, bytes.Count - at); break;
                default: bytes.InsertRange(at, Syntax.OrderBy(_ => random.Next()).Take(count)); break;
            }
        }

        return [.. bytes];
    }
}
