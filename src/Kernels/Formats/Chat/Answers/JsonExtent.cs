namespace EgpuFleet.Kernels.Formats.Chat.Answers;

/// <summary>Finds the end of one JSON value in a text that comes in characters; does not judge what is in it.</summary>
internal sealed class JsonExtent
{
    private int depth;
    private bool inText;
    private bool isEscaped;
    private bool isScalar;

    public bool IsComplete { get; private set; }

    /// <param name="character">The first one is not white space.</param>
    /// <returns>Whether it is part of the value; false: the value ended before it.</returns>
    public bool Take(char character)
    {
        if (IsComplete)
            return false;
        if (inText)
            TakeText(character);
        else
            return TakePlain(character);
        return true;
    }

    private void TakeText(char character)
    {
        if (isEscaped)
            isEscaped = false;
        else if (character == '\\')
            isEscaped = true;
        else if (character == '"')
        {
            inText = false;
            IsComplete = depth == 0;
        }
    }

    private bool TakePlain(char character)
    {
        switch (character)
        {
            case '"':
                inText = true;
                return true;
            case '{' or '[':
                depth++;
                return true;
            case '}' or ']' when depth > 0:
                IsComplete = --depth == 0;
                return true;
            case '}' or ']' or ',':
            case ' ' or '\n' or '\r' or '\t' when isScalar && depth == 0:
                // Of a scalar nothing but what follows tells the end.
                IsComplete = depth == 0;
                return depth > 0;
            default:
                isScalar = true;
                return true;
        }
    }
}
