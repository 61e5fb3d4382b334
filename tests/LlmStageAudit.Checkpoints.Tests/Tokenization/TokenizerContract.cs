using System.Buffers;
using System.Globalization;
using LlmStageAudit.Checkpoints.Tokenization;
using Microsoft.ML.Tokenizers;

namespace LlmStageAudit.Checkpoints.Tests.Tokenization;

/// <summary>What holds between the members of a tokenizer for every text.</summary>
internal static class TokenizerContract
{
    public static void Assert(HuggingFaceTokenizer tokenizer, string text)
    {
        AssertSameIds(tokenizer, text);
        AssertOffsets(tokenizer, text);
        AssertLimits(tokenizer, text);
        AssertResumes(tokenizer, tokenizer.Encode(text, addSpecialTokens: true));
    }

    private static void AssertSameIds(HuggingFaceTokenizer tokenizer, string text)
    {
        Tokenizer general = tokenizer;
        var ids = tokenizer.Encode(text, addSpecialTokens: false);
        Xunit.Assert.Equal(ids, general.EncodeToIds(text));
        Xunit.Assert.Equal(ids, general.EncodeToIds(text.AsSpan()));
        Xunit.Assert.Equal(ids.Length, general.CountTokens(text));
        Xunit.Assert.Equal(ids.Length, general.CountTokens(text.AsSpan()));
        var tokens = general.EncodeToTokens(text, out var normalized);
        Xunit.Assert.Equal(tokens, general.EncodeToTokens(text.AsSpan(), out var normalizedSpan));
        Xunit.Assert.Equal(normalized, normalizedSpan);
        Xunit.Assert.Equal(ids, tokens.Select(token => token.Id));
        Xunit.Assert.All(tokens, token => Xunit.Assert.Equal(token.Id, tokenizer.IdOf(token.Value)));
        Xunit.Assert.Equal(tokenizer.Decode(ids, skipSpecialTokens: false), general.Decode(ids));
        foreach (var (normalize, cut) in new[] { (false, false), (false, true), (true, false) })
        {
            var others = general.EncodeToIds(text, cut, normalize);
            Xunit.Assert.Equal(others, general.EncodeToTokens(text, out var other, cut, normalize).Select(token => token.Id));
            Xunit.Assert.Equal(others.Count, general.CountTokens(text, cut, normalize));
            Xunit.Assert.Equal(normalize ? normalized : null, other);
        }
    }

    /// <summary>Spans follow each other without a gap and overlap only in a character that several tokens share.</summary>
    private static void AssertOffsets(HuggingFaceTokenizer tokenizer, string text)
    {
        var tokens = tokenizer.EncodeToTokens(text, out var normalized);
        Xunit.Assert.Equal(tokenizer.Normalizer is null, normalized is null);
        var searched = normalized ?? text;
        var (start, end) = (0, 0);
        foreach (var token in tokens)
        {
            var (nextStart, nextEnd) = (token.Offset.Start.Value, token.Offset.End.Value);
            if (nextStart != end) Xunit.Assert.Equal(end - (char.IsLowSurrogate(searched[end - 1]) ? 2 : 1), nextStart);
            Xunit.Assert.InRange(nextStart, start, nextEnd - 1);
            Xunit.Assert.True(nextEnd >= end);
            (start, end) = (nextStart, nextEnd);
        }

        Xunit.Assert.Equal(searched.Length, end);
        var given = tokenizer.EncodeWithOffsets(text, addSpecialTokens: false);
        Xunit.Assert.Equal(tokens.Select(token => (token.Id, token.Value)), given.Select(token => (token.Id, token.Value)));
        Xunit.Assert.All(given, token => Xunit.Assert.InRange(token.Offset.End.Value, token.Offset.Start.Value, text.Length));
        if (searched == text) Xunit.Assert.Equal(tokens, given);
        var special = tokenizer.EncodeWithOffsets(text, addSpecialTokens: true);
        Xunit.Assert.Equal(tokenizer.Encode(text, addSpecialTokens: true), special.Select(token => token.Id));
    }

    private static void AssertLimits(HuggingFaceTokenizer tokenizer, string text)
    {
        var ids = tokenizer.EncodeToIds(text);
        var last = (FromStart: 0, FromEnd: int.MaxValue);
        foreach (var limit in new[] { 1, 2, 3, ids.Count / 2, ids.Count - 1, ids.Count, ids.Count + 1 }.Where(limit => limit > 0).Order())
        {
            var first = tokenizer.EncodeToIds(text, limit, out var normalized, out var consumed);
            Xunit.Assert.Equal(ids.Take(limit), first);
            var index = tokenizer.GetIndexByTokenCount(text, limit, out var same, out var count);
            Xunit.Assert.Equal((consumed, first.Count, normalized), (index, count, same));
            var searched = normalized ?? text;

            // Parts of a normalized text are normalized again, unless that would change them (by a prefix once more).
            var normalizes = tokenizer.Normalizer?.Normalize(searched) == searched;
            Xunit.Assert.InRange(tokenizer.CountTokens(searched[..index], considerNormalization: normalizes), 0, limit);

            var fromEnd = tokenizer.GetIndexByTokenCountFromEnd(text, limit, out same, out count);
            Xunit.Assert.Equal((first.Count, normalized), (count, same));
            Xunit.Assert.InRange(tokenizer.CountTokens(searched[fromEnd..], considerNormalization: normalizes), 0, limit);
            if (limit >= ids.Count) Xunit.Assert.Equal((searched.Length, 0), (index, fromEnd));
            Xunit.Assert.True(index >= last.FromStart && fromEnd <= last.FromEnd);
            last = (index, fromEnd);
        }

        foreach (var limit in new[] { 0, -1 })
        {
            Xunit.Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.EncodeToIds(text, limit, out _, out _));
            Xunit.Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.GetIndexByTokenCount(text, limit, out _, out _));
            Xunit.Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.GetIndexByTokenCountFromEnd(text, limit, out _, out _));
        }
    }

    /// <summary>However small the span, what is written piece by piece is the whole text.</summary>
    private static void AssertResumes(HuggingFaceTokenizer tokenizer, int[] ids)
    {
        var whole = tokenizer.Decode(ids);
        int[] few = ids.Length > 200 ? [] : [0, 1, 2, 7];
        foreach (var size in few.Concat([whole.Length / 2, Math.Max(0, whole.Length - 1), whole.Length, whole.Length + 1]))
        {
            var (written, rest, span) = ("", ids, new char[size]);
            while (true)
            {
                var status = tokenizer.Decode(rest, span, out var consumed, out var count);
                Xunit.Assert.InRange(count, 0, span.Length);
                written += new string(span, 0, count);
                rest = rest[consumed..];
                if (status == OperationStatus.Done) break;
                Xunit.Assert.Equal(OperationStatus.DestinationTooSmall, status);
                if (consumed == 0) span = new char[(2 * span.Length) + 1];
            }

            Xunit.Assert.Empty(rest);
            Xunit.Assert.True(whole == written, string.Create(CultureInfo.InvariantCulture, $"a span of {size}"));
        }
    }
}
