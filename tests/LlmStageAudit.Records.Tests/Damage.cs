using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;

namespace LlmStageAudit.Records.Tests;

/// <summary>Damage to a file, for a property: bytes changed, cut out, doubled, put in, or the end lost. Shrinks to fewer of these.</summary>
/// <param name="Edits">Made one after the other.</param>
public sealed record Damage(ImmutableArray<Damage.Edit> Edits)
{
    private static readonly byte[] s_syntax = "{}[]:,-\n &*!|>'\"\0"u8.ToArray();

    public enum Kind
    {
        Set,
        Flip,
        Cut,
        Double,
        End,
        Insert,
    }

    public static Arbitrary<Damage> Any()
    {
        var edit =
            from kind in Gen.Elements(Enum.GetValues<Kind>())
            from place in Gen.Choose(0, int.MaxValue)
            from count in Gen.Choose(1, 23)
            from value in Gen.Choose(0, 255)
            select new Edit(kind, place, count, (byte)value);
        return Arb.From(
            Gen.Choose(1, 3).SelectMany(count => edit.ListOf(count)).Select(edits => new Damage([.. edits])),
            damage => damage.Edits.Length < 2 ? [] : damage.Edits.Select(left => new Damage(damage.Edits.Remove(left))));
    }

    public byte[] Done(byte[] original)
    {
        var bytes = original.ToList();
        foreach (var edit in Edits.TakeWhile(_ => bytes.Count > 0)) edit.Make(bytes);
        return [.. bytes];
    }

    public override string ToString() => string.Join("; ", Edits);

    /// <param name="Place">Taken modulo the length.</param>
    /// <param name="Count">Bytes, where there are as many.</param>
    /// <param name="Value">What is set, put in or, of its lowest bits, flipped.</param>
    public sealed record Edit(Kind Kind, int Place, int Count, byte Value)
    {
        internal void Make(List<byte> bytes)
        {
            var at = Place % bytes.Count;
            var count = Math.Min(Count, bytes.Count - at);
            switch (Kind)
            {
                case Kind.Set: bytes[at] = Value; break;
                case Kind.Flip: bytes[at] ^= (byte)(1 << (Value % 8)); break;
                case Kind.Cut: bytes.RemoveRange(at, count); break;
                case Kind.Double: bytes.InsertRange(at, bytes.GetRange(at, count)); break;
                case Kind.End: bytes.RemoveRange(at, bytes.Count - at); break;
                case Kind.Insert: bytes.InsertRange(at, Enumerable.Range(Value, Count).Select(i => s_syntax[i % s_syntax.Length])); break;
            }
        }
    }
}
