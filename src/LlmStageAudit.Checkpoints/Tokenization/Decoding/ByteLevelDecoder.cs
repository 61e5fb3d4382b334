using System.Text;
using LlmStageAudit.Checkpoints.Tokenization.Text;

namespace LlmStageAudit.Checkpoints.Tokenization.Decoding;

/// <summary>
/// Reads each token's characters as bytes of GPT-2's alphabet and all bytes as one UTF-8 text, a malformed sequence as
/// U+FFFD. A token with a character outside the alphabet (an added token) stands for its own text.
/// </summary>
internal sealed class ByteLevelDecoder : ITokenDecoder
{
    public IReadOnlyList<string> Decode(IReadOnlyList<string> tokens)
    {
        var bytes = new MemoryStream();
        foreach (var token in tokens)
        {
            if (token.All(static character => ByteAlphabet.ByteOf(character) >= 0))
            {
                foreach (var character in token) bytes.WriteByte((byte)ByteAlphabet.ByteOf(character));
            }
            else
            {
                bytes.Write(Encoding.UTF8.GetBytes(token));
            }
        }

        return [Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length)];
    }
}
