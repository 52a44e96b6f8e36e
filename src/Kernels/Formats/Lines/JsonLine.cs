using System.Buffers;

namespace EgpuFleet.Kernels.Formats.Lines;

/// <summary>What a line of JSON may have around its value.</summary>
public static class JsonLine
{
    /// <summary>Editors on some systems put a byte-order mark before the first line.</summary>
    public static ReadOnlySequence<byte> WithoutMark(ReadOnlySequence<byte> line, int number)
    {
        ReadOnlySpan<byte> mark = [0xEF, 0xBB, 0xBF];
        Span<byte> head = stackalloc byte[3];
        if (number != 1 || line.Length < head.Length)
            return line;
        line.Slice(0, head.Length).CopyTo(head);
        return head.SequenceEqual(mark) ? line.Slice(head.Length) : line;
    }

    public static bool IsBlank(ReadOnlySequence<byte> line)
    {
        foreach (var part in line)
        {
            if (part.Span.ContainsAnyExcept(" \t\r"u8))
                return false;
        }
        return true;
    }
}
