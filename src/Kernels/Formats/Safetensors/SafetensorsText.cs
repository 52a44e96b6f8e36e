using System.Text.Json;

namespace EgpuFleet.Kernels.Formats.Safetensors;

/// <summary>Texts of a header, hostile until read.</summary>
internal static class SafetensorsText
{
    /// <summary>The reader's present text or property name.</summary>
    public static string Of(ref Utf8JsonReader reader, int limitBytes, string what, bool mayBeEmpty = false)
    {
        // An escaped character is six bytes at most.
        if (reader.ValueSpan.Length > 6L * limitBytes)
            throw new SafetensorsException(SafetensorsFault.Limit, $"The length of {what} is over {limitBytes} bytes.");
        string text;
        try
        {
            text = reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new SafetensorsException(SafetensorsFault.Text, $"The text of {what} is not valid Unicode.");
        }
        if (text.Length > limitBytes)
            throw new SafetensorsException(SafetensorsFault.Limit, $"The length of {what} is over {limitBytes} bytes.");
        if (text.Length == 0 && !mayBeEmpty)
            throw new SafetensorsException(SafetensorsFault.Text, $"The text of {what} is empty.");
        return text;
    }
}
