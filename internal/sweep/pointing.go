package sweep

import "github.com/doubletap/doubletap/internal/collection"

// PartsPointingAt returns the parts that delete, or empty, what points at a deleted row of a collection, the subject's
// id, and what points at those. Relations with a special part are left to it.
func PartsPointingAt(name string) (parts []Part) {
	for _, pointer := range collection.PointersTo(name, collection.DeleteRows) {
		pointing := pointer.Field + ` = {:id}`
		deeperPointers := collection.PointersTo(pointer.From, collection.DeleteRows, collection.ClearField)
		for _, deeper := range deeperPointers {
			parts = append(parts, PointerPart(deeper, deeper.Field+` IN (SELECT id FROM `+pointer.From+` WHERE `+pointing+`)`))
		}
		part := PointerPart(pointer, pointing)
		part.Last = len(deeperPointers) > 0 // what points at them is found by them
		parts = append(parts, part)
	}
	for _, pointer := range collection.PointersTo(name, collection.ClearField) {
		// not what points at a row that stays, as a tombstone does
		parts = append(parts, PointerPart(pointer, pointer.Field+` = {:id} AND NOT EXISTS (SELECT 1 FROM `+name+` WHERE id = {:id})`))
	}
	return parts
}

// PointerPart returns the part that deletes the rows of a relation that meet a condition, or empties its field in them.
func PointerPart(pointer collection.Pointer, condition string) Part {
	if pointer.Removal == collection.ClearField {
		return UpdatePart(pointer.From, pointer.Field+` = ''`, condition)
	}
	return DeletePart(pointer.From, condition)
}
