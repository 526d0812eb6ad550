// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>
/// One of the three codes of a sequence (RFC 8878, 3.1.1.3.2): its alphabet, and the table in use, which a later block
/// may use again.
/// </summary>
internal unsafe struct ZstdCode
{
    private const int TableEntries = 1 << 9;
    private const int ModePredefined = 0;
    private const int ModeSingle = 1;
    private const int ModeDescribed = 2;

    public bool HasTable;
    public int Accuracy;
    public int SymbolCount;
    public int AccuracyLimit;

    // FseEntry cannot be the element of a fixed buffer; it has the size of a word.
    private fixed ulong _table[TableEntries];
    private fixed ulong _symbols[FseTable.SymbolLimit];

    /// <summary>Extra bits of the literal length codes 16 and up; those below stand for themselves.</summary>
    private static System.ReadOnlySpan<byte> LiteralLengthExtraBits =>
        [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

    /// <summary>Extra bits of the match length codes 32 and up.</summary>
    private static System.ReadOnlySpan<byte> MatchLengthExtraBits =>
        [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

    // The predefined distributions of RFC 8878, 3.1.1.3.2.2, each probability one higher than it is: 0 stands for -1.
    private static System.ReadOnlySpan<byte> LiteralLengthDefaults =>
    [
        5, 4, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 3, 2, 2, 2, 2, 2, 0, 0, 0, 0,
    ];

    private static System.ReadOnlySpan<byte> MatchLengthDefaults =>
    [
        2, 5, 4, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
        2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0, 0, 0,
    ];

    private static System.ReadOnlySpan<byte> OffsetDefaults =>
        [2, 2, 2, 2, 2, 2, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0];

    public static FseEntry* Table(ZstdCode* code) => (FseEntry*)code->_table;

    public static void SetUpLiteralLengths(ZstdCode* code) =>
        SetUp(code, accuracyLimit: 9, symbolCount: 36, firstBase: 0, plainCount: 16, LiteralLengthExtraBits);

    public static void SetUpMatchLengths(ZstdCode* code) =>
        SetUp(code, accuracyLimit: 9, symbolCount: 53, firstBase: 3, plainCount: 32, MatchLengthExtraBits);

    /// <summary>An offset code n is n bits after a one.</summary>
    public static void SetUpOffsets(ZstdCode* code)
    {
        code->AccuracyLimit = 8;
        code->SymbolCount = 32;
        FseEntry* symbols = (FseEntry*)code->_symbols;
        for (int symbol = 0; symbol < code->SymbolCount; symbol++)
        {
            symbols[symbol].Base = 1u << symbol;
            symbols[symbol].ExtraBits = (byte)symbol;
        }
    }

    /// <summary>Makes the table that a block asks for by the mode of this code.</summary>
    public static bool Select(ZstdWork* work, ZstdCode* code, int mode, ref byte* cursor, byte* end)
    {
        int symbolCount;
        switch (mode)
        {
            case ModePredefined:
                symbolCount = SetDefaults(work, code);
                break;
            case ModeSingle:
                if (cursor == end || *cursor >= code->SymbolCount)
                {
                    return false;
                }

                code->Accuracy = 0;
                code->HasTable = true;
                FseTable.BuildSingle(Table(code), (FseEntry*)code->_symbols + *cursor++);
                return true;
            case ModeDescribed:
                if (!FseTable.ReadDistribution(
                    ref cursor,
                    end,
                    code->AccuracyLimit,
                    code->SymbolCount,
                    work->Counts,
                    out symbolCount,
                    out code->Accuracy))
                {
                    return false;
                }

                break;
            default:
                return code->HasTable;
        }

        FseTable.Build(
            Table(code), code->Accuracy, work->Counts, symbolCount, (FseEntry*)code->_symbols, work->Next);
        code->HasTable = true;
        return true;
    }

    private static int SetDefaults(ZstdWork* work, ZstdCode* code)
    {
        System.ReadOnlySpan<byte> defaults =
            code == &work->LiteralLengths ? LiteralLengthDefaults
            : code == &work->MatchLengths ? MatchLengthDefaults
            : OffsetDefaults;
        for (int symbol = 0; symbol < defaults.Length; symbol++)
        {
            work->Counts[symbol] = (short)(defaults[symbol] - 1);
        }

        code->Accuracy = code == &work->Offsets ? 5 : 6;
        return defaults.Length;
    }

    private static void SetUp(
        ZstdCode* code,
        int accuracyLimit,
        int symbolCount,
        uint firstBase,
        int plainCount,
        System.ReadOnlySpan<byte> extraBits)
    {
        code->AccuracyLimit = accuracyLimit;
        code->SymbolCount = symbolCount;
        FseEntry* symbols = (FseEntry*)code->_symbols;
        uint value = firstBase;
        for (int symbol = 0; symbol < symbolCount; symbol++)
        {
            byte extra = symbol < plainCount ? (byte)0 : extraBits[symbol - plainCount];
            symbols[symbol].Base = value;
            symbols[symbol].ExtraBits = extra;
            value += 1u << extra;
        }
    }
}
