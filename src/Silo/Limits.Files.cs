namespace EgpuFleet.Silo;

/// <summary>Bounds of uploaded files.</summary>
public static partial class Limits
{
    /// <summary>One file, as OpenAI has it: ten times the longest training set that a device gets through in a week.</summary>
    public const long FileBytes = 512L << 20;

    /// <summary>All files of a tenant: they lie in the database, on one disk with all else.</summary>
    public const long TenantFileBytes = 16L << 30;

    /// <summary>Files of a tenant: a list of all of them is one answer.</summary>
    public const int TenantFiles = 10_000;

    /// <summary>A chunk, what is held of a file that is read or written; the table's own bound.</summary>
    public const int FileChunkBytes = 1 << 20;

    /// <summary>A file's name: what file systems allow.</summary>
    public const int FileNameLength = 255;

    /// <summary>A part of the upload's form that is a word, and all that is read of parts that are not known.</summary>
    public const int FormFieldBytes = 4096;

    /// <summary>Parts of the upload's form: OpenAI's has four.</summary>
    public const int FormParts = 16;

    /// <summary>Files received at once, each holding a connection; more uploads wait.</summary>
    public const int ConcurrentFileUploads = 4;
}
